/* SPDX-License-Identifier: BSD-3-Clause */
/* What hashtree does with one file: look, hash, print. */
#include "hashtree_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- look ---- */

struct file *file_new(const char *dir, const char *name) {
  size_t n = strlen(dir), m = strlen(name);
  bool slash = m > 0 && n > 0 && dir[n - 1] != '/';
  struct file *f = calloc(1, sizeof *f + n + m + 2);
  if (f)
    sprintf(f->path, "%s%s%s", dir, slash ? "/" : "", name);
  return f;
}

void file_free_list(struct file *list) {
  while (list) {
    struct file *next = list->next;
    free(list);
    list = next;
  }
}

static int add(struct file **list, const char *dir, const char *name) {
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return 0;
  struct file *f = file_new(dir, name);
  if (!f)
    return ENOMEM;
  f->next = *list;
  *list = f;
  return 0;
}

static int list_dir(const char *path, struct file **list) {
  DIR *dir = opendir(path);
  if (!dir)
    return errno;
  struct dirent *entry;
  int err = 0;
  while (!err && (errno = 0, entry = readdir(dir)) != NULL)
    err = add(list, path, entry->d_name);
  if (!err)
    err = errno;
  closedir(dir);
  return err;
}

int file_look(const struct file *f, struct file **list, bool *regular) {
  struct stat st;
  *regular = false;
  if (lstat(f->path, &st) != 0)
    return errno;
  *regular = S_ISREG(st.st_mode);
  return S_ISDIR(st.st_mode) ? list_dir(f->path, list) : 0;
}

/* ---- hash ---- */

enum { BLOCK = 128 * 1024 }; /* bytes read at a time */

struct hasher {
  EVP_MD_CTX *md;
  char block[BLOCK];
};

static EVP_MD *sha256;

/* A task's thread may still be on its way out when main returns: libcrypto
   must not be taken down at exit. */
int hash_start(void) {
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) &&
      OSSL_LIB_CTX_get0_global_default())
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  return sha256 ? 0 : ENOMEM;
}

void hash_end(void) {
  EVP_MD_free(sha256);
}

struct hasher *hasher_new(void) {
  struct hasher *h = malloc(sizeof *h);
  if (h && (h->md = EVP_MD_CTX_new()) == NULL) {
    free(h);
    return NULL;
  }
  return h;
}

void hasher_free(struct hasher *h) {
  if (h)
    EVP_MD_CTX_free(h->md);
  free(h);
}

static int hash_blocks(int fd, unsigned char *sum, struct hasher *h,
                       const gch_ctx *ctx, atomic_llong *bytes) {
  bool ok = EVP_DigestInit_ex(h->md, sha256, NULL);
  ssize_t n;
  while (ok && (n = read(fd, h->block, BLOCK)) != 0) {
    if (n < 0)
      return errno;
    ok = EVP_DigestUpdate(h->md, h->block, (size_t)n);
    atomic_fetch_add(bytes, n);
    int err = gch_ctx_err(ctx);
    if (err)
      return err;
  }
  return ok && EVP_DigestFinal_ex(h->md, sum, NULL) ? 0 : ENOMEM;
}

int file_hash(struct file *f, struct hasher *h, const gch_ctx *ctx,
              atomic_llong *bytes) {
  int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return errno;
  int err = hash_blocks(fd, f->sum, h, ctx, bytes);
  close(fd);
  return err;
}

/* ---- print ---- */

static int by_path(const void *a, const void *b) {
  return strcmp((*(struct file *const *)a)->path,
                (*(struct file *const *)b)->path);
}

/* A line in which something is escaped begins with a backslash. */
static void print(const struct file *f) {
  static const char special[] = "\\\n\r", escape[] = "\\nr";
  if (strpbrk(f->path, special))
    putchar('\\');
  for (size_t i = 0; i < sizeof f->sum; i++)
    printf("%02x", f->sum[i]);
  fputs("  ", stdout);
  for (const char *s = f->path; *s; s++) {
    const char *at = strchr(special, *s);
    if (at)
      printf("\\%c", escape[at - special]);
    else
      putchar(*s);
  }
  putchar('\n');
}

int file_print_list(struct file *list, size_t count) {
  struct file **files = malloc((count + 1) * sizeof(struct file *));
  if (!files)
    return ENOMEM;
  size_t n = 0;
  for (struct file *f = list; f; f = f->next)
    files[n++] = f;
  qsort(files, n, sizeof *files, by_path);
  for (size_t i = 0; i < n; i++)
    print(files[i]);
  free(files);
  if (fflush(stdout) == 0 && !ferror(stdout))
    return 0;
  return errno ? errno : EIO;
}
