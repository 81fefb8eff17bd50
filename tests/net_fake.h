/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes the place of the C library's getaddrinfo and freeaddrinfo, in the test
 * program that includes it. By the first letters of the host:
 *
 *     hang…      waits until fake_open
 *     list-…     the addresses behind it, between commas
 *     again, fail, system, memory, none, family    that error
 *
 * All others, and none, are asked of the C library.
 */
#ifndef GULCH_TESTS_NET_FAKE_H
#define GULCH_TESTS_NET_FAKE_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t fake_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_cond = PTHREAD_COND_INITIALIZER;
static bool fake_is_open;
static atomic_int fake_hanging, fake_most, fake_asked, fake_lists;

static inline void fake_open(bool open) {
  pthread_mutex_lock(&fake_mutex);
  fake_is_open = open;
  pthread_cond_broadcast(&fake_cond);
  pthread_mutex_unlock(&fake_mutex);
}

static inline void fake_hang(void) {
  int n = atomic_fetch_add(&fake_hanging, 1) + 1;
  pthread_mutex_lock(&fake_mutex);
  if (n > atomic_load(&fake_most))
    atomic_store(&fake_most, n);
  while (!fake_is_open)
    pthread_cond_wait(&fake_cond, &fake_mutex);
  pthread_mutex_unlock(&fake_mutex);
  atomic_fetch_sub(&fake_hanging, 1);
}

static inline struct addrinfo *fake_entry(const char *ip, int type) {
  struct {
    struct addrinfo ai;
    struct sockaddr_in6 sa;
  } *e = calloc(1, sizeof *e);
  bool six = strchr(ip, ':');
  struct sockaddr_in *in = (struct sockaddr_in *)&e->sa;
  e->ai.ai_family = six ? AF_INET6 : AF_INET;
  e->ai.ai_socktype = type;
  e->ai.ai_addr = (struct sockaddr *)&e->sa;
  e->ai.ai_addrlen = six ? sizeof e->sa : sizeof *in;
  e->sa.sin6_family = (sa_family_t)e->ai.ai_family;
  inet_pton(e->ai.ai_family, ip,
            six ? (void *)&e->sa.sin6_addr : (void *)&in->sin_addr);
  atomic_fetch_add(&fake_lists, 1);
  return &e->ai;
}

static inline int fake_list(const char *list, int type,
                            struct addrinfo **result) {
  char copy[512], *rest = copy, *ip;
  strncpy(copy, list, sizeof copy - 1);
  copy[sizeof copy - 1] = '\0';
  *result = NULL;
  while ((ip = strsep(&rest, ","))) {
    *result = fake_entry(ip, type);
    result = &(*result)->ai_next;
  }
  return 0;
}

static inline bool fake_error(const char *host, int *eai) {
  static const struct {
    const char *host;
    int eai;
  } known[] = {{"again", EAI_AGAIN},   {"fail", EAI_FAIL},
               {"system", EAI_SYSTEM}, {"memory", EAI_MEMORY},
               {"none", EAI_NONAME},   {"family", EAI_FAMILY}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(host, known[i].host) == 0) {
      *eai = known[i].eai;
      errno = ENOTTY;
      return true;
    }
  return false;
}

/* An entry's address is part of it here too, so the C library's can free it. */
void freeaddrinfo(struct addrinfo *ai) {
  for (struct addrinfo *next; ai; ai = next) {
    next = ai->ai_next;
    atomic_fetch_sub(&fake_lists, 1);
    free(ai);
  }
}

/* Of the C library's what it gave, entry by entry. */
static inline int fake_real(const char *host, const char *service,
                            const struct addrinfo *hints,
                            struct addrinfo **result) {
  int (*get)(const char *, const char *, const struct addrinfo *,
             struct addrinfo **);
  void (*put)(struct addrinfo *);
  *(void **)&get = dlsym(RTLD_NEXT, "getaddrinfo");
  *(void **)&put = dlsym(RTLD_NEXT, "freeaddrinfo");
  struct addrinfo *real = NULL;
  int eai = get(host, service, hints, &real);
  *result = NULL;
  for (struct addrinfo *i = real; eai == 0 && i; i = i->ai_next) {
    *result =
        fake_entry(i->ai_family == AF_INET6 ? "::" : "0.0.0.0", i->ai_socktype);
    memcpy((*result)->ai_addr, i->ai_addr, i->ai_addrlen);
    result = &(*result)->ai_next;
  }
  if (eai == 0)
    put(real);
  return eai;
}

int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **result) {
  int eai;
  int type = hints ? hints->ai_socktype : 0;
  atomic_fetch_add(&fake_asked, 1);
  if (host && strncmp(host, "hang", 4) == 0) {
    fake_hang();
    return fake_list("127.0.0.1", type, result);
  }
  if (host && strncmp(host, "list-", 5) == 0)
    return fake_list(host + 5, type, result);
  if (host && fake_error(host, &eai))
    return eai;
  return fake_real(host, service, hints, result);
}

#endif
