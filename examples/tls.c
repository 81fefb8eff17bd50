/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Other people's libraries: TLS by OpenSSL, which reads and writes a descriptor
 * itself and says when it must wait, and for what. gch_io_wait does that, so
 * the task parks and its thread goes on. Some clients talk to a server, each
 * in a task, with a certificate that is made here.
 *
 *     ln, _ := tls.Listen("tcp", "127.0.0.1:0", &config)
 *     for { conn, err := ln.Accept(); …; go io.Copy(conn, conn) }
 */
#include "example.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <string.h>

enum { CLIENTS = 3, HOUR = 3600 };

/* OpenSSL's errors are kept by thread, and a task may go on on another one: so
   they are asked for at once, and never over a wait. */

/* Whether the call that gave `result` is to be made again. */
static bool again(SSL *ssl, int result) {
  int why = SSL_get_error(ssl, result);
  int events = why == SSL_ERROR_WANT_READ    ? GCH_IO_READ
               : why == SSL_ERROR_WANT_WRITE ? GCH_IO_WRITE
                                             : 0;
  ERR_clear_error();
  return events && gch_io_wait(SSL_get_fd(ssl), events, NULL) == 0;
}

static bool handshake(SSL *ssl) {
  int result;
  do
    result = SSL_do_handshake(ssl);
  while (result <= 0 && again(ssl, result));
  return result == 1;
}

/* 0: the end. */
static int read_some(SSL *ssl, char *buf, int size) {
  int n;
  do
    n = SSL_read(ssl, buf, size);
  while (n <= 0 && again(ssl, n));
  return n > 0 ? n : 0;
}

static bool write_all(SSL *ssl, const char *buf, int size) {
  int n;
  do
    n = SSL_write(ssl, buf, size);
  while (n <= 0 && again(ssl, n));
  return n == size;
}

static void bid_farewell(SSL *ssl) {
  int n;
  while ((n = SSL_shutdown(ssl)) < 0 && again(ssl, n))
    continue;
}

/* The server */

static void echo(const gch_ctx *ctx, int conn, void *config) {
  char buf[256];
  int n;
  (void)ctx;
  SSL *ssl = SSL_new(config);
  if (!ssl)
    return;
  SSL_set_fd(ssl, conn);
  SSL_set_accept_state(ssl);
  if (handshake(ssl)) {
    while ((n = read_some(ssl, buf, sizeof buf)) > 0 && write_all(ssl, buf, n))
      continue;
    bid_farewell(ssl);
  }
  SSL_free(ssl);
}

struct server {
  const gch_ctx *ctx;
  int listener;
  SSL_CTX *config;
};

static void run_server(void *arg) {
  struct server *s = arg;
  gch_net_serve(s->ctx, s->listener, 0, echo, s->config);
}

/* Clients */

struct client {
  const char *address;
  SSL_CTX *config;
  int number;
  char said[64];
};

static void say(struct client *c, SSL *ssl) {
  char words[32], buf[64];
  int size = snprintf(words, sizeof words, "client %d", c->number), n;
  if (handshake(ssl) && write_all(ssl, words, size) &&
      (n = read_some(ssl, buf, sizeof buf)) > 0)
    snprintf(c->said, sizeof c->said, "%s: %.*s", SSL_get_version(ssl), n, buf);
  bid_farewell(ssl);
}

static int run_client(const gch_ctx *ctx, void *arg) {
  struct client *c = arg;
  int conn, err = gch_net_dial(ctx, "tcp", c->address, &conn);
  if (err)
    return err;
  SSL *ssl = SSL_new(c->config);
  if (ssl) {
    SSL_set_fd(ssl, conn);
    SSL_set_connect_state(ssl);
    say(c, ssl);
    SSL_free(ssl);
  }
  gch_io_close(conn);
  return ssl ? 0 : ENOMEM;
}

/* A certificate that stands for itself */

static X509 *certificate_for(EVP_PKEY *key) {
  X509 *cert = X509_new();
  X509_set_version(cert, 2);
  X509_gmtime_adj(X509_getm_notBefore(cert), 0);
  X509_gmtime_adj(X509_getm_notAfter(cert), HOUR);
  X509_set_pubkey(cert, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             (const unsigned char *)"localhost", -1, -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(cert));
  X509_sign(cert, key, EVP_sha256());
  return cert;
}

/* Of a server; and of a client who trusts that server, and no other. */
static bool configure(SSL_CTX *server, SSL_CTX *client) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = key ? certificate_for(key) : NULL;
  bool ok = cert && SSL_CTX_use_certificate(server, cert) == 1 &&
            SSL_CTX_use_PrivateKey(server, key) == 1 &&
            X509_STORE_add_cert(SSL_CTX_get_cert_store(client), cert) == 1;
  SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
  X509_free(cert);
  EVP_PKEY_free(key);
  return ok;
}

static int talk(struct server *s, SSL_CTX *client) {
  char address[64];
  struct client clients[CLIENTS];
  gch_net_addr(s->listener, false, address, sizeof address);
  gch_errgroup *g = gch_errgroup_with_ctx(s->ctx);
  if (!g)
    return ENOMEM;
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = (struct client){address, client, i, ""};
    gch_errgroup_go(g, run_client, &clients[i]);
  }
  int err = gch_errgroup_wait(g);
  gch_errgroup_free(g);
  for (int i = 0; i < CLIENTS && !err; i++)
    puts(clients[i].said);
  return err;
}

GCH_MAIN(argc, argv) {
  SSL_CTX *server = SSL_CTX_new(TLS_server_method());
  SSL_CTX *client = SSL_CTX_new(TLS_client_method());
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_wg wg = GCH_WG_INIT;
  struct server s = {ctx, -1, server};
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes, not gulch */
  if (!ctx || !server || !client || !configure(server, client))
    return fail("cannot set TLS up", ENOMEM);
  int err = gch_net_listen("tcp", "127.0.0.1:0", &s.listener);
  if (err)
    return fail("gch_net_listen", err);
  err = gch_wg_go(&wg, run_server, &s);
  if (!err)
    err = talk(&s, client);
  gch_ctx_cancel(ctx);
  gch_wg_wait(&wg);
  gch_io_close(s.listener);
  SSL_CTX_free(server);
  SSL_CTX_free(client);
  return err ? fail("talk", err) : 0;
}
