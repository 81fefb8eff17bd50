/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hashtree does with one file. A task may go on in another thread after a
 * call of gulch that can block, so no function may use errno before and after
 * one: all that uses errno is here, all that can block in hashtree.c.
 */
#ifndef HASHTREE_FILE_H
#define HASHTREE_FILE_H

#include <gulch/ctx.h>

#include <stdatomic.h>

/* Belongs to one task at a time: the walker makes it, a worker fills in the
   sum, the collector keeps it. Where something failed, err says what. */
struct file {
  struct file *next;
  int err;
  unsigned char sum[32];
  char path[];
};

/* dir/name, or just dir where name is empty. NULL: no memory. */
struct file *file_new(const char *dir, const char *name);

void file_free_list(struct file *list);

/* Is f a regular file? What a directory has goes on the list. 0 or errno. */
int file_look(const struct file *f, struct file **list, bool *regular);

/* To be called before there are tasks. 0, ENOMEM. */
int hash_start(void);
void hash_end(void);

/* What a worker needs. NULL: no memory. */
struct hasher *hasher_new(void);
void hasher_free(struct hasher *h);

/* Computes f's SHA-256, adding what it reads to *bytes; gives up when ctx is
   done. 0, ENOMEM, errno, ECANCELED, ETIMEDOUT. */
int file_hash(struct file *f, struct hasher *h, const gch_ctx *ctx,
              atomic_llong *bytes);

/* Prints the list sorted by path, just as sha256sum does; 0 or errno. */
int file_print_list(struct file *list, size_t count);

#endif
