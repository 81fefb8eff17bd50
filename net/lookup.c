/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Look-ups: getaddrinfo, on threads of their own.
 *
 *     a look-up is   means                         leaves by
 *     queued         in the list; no thread yet    a thread, which takes it;
 *                                                  its caller, who gives up; or
 *                                                  who could start no thread,
 *                                                  where there is none (ENOMEM)
 *     asked          a thread is in getaddrinfo    the thread
 *     answered       result and err stand          -
 *
 * Whoever queues one starts a thread, if there are fewer than MOST; a thread
 * takes one after the other and ends when the list is empty. So there are never
 * more threads than look-ups, and none sleeps. The one that is about to end
 * takes itself off the count in the step that finds the list empty.
 *
 *     first, last, threads, asked     lock
 *     result, err                     the thread's, until `answer` is closed;
 *                                     then the caller's
 *     refs                            atomic: the caller has one, and the
 *                                     queue, later the thread
 *
 * Memory: who gives the last reference back frees the look-up with what is left
 * of the result.
 *
 * Fork: the lock is held over it. In the child no thread is left, and all
 * look-ups are those of others, since who forks waits for none: what they held
 * is freed by the next look-up there.
 */
#include "net/lookup.h"

#include "park/fork.h"
#include "park/lock.h"
#include "park/stay.h"
#include "park/thread.h"

#include <gulch/net.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, STACK = 512 * 1024 };

struct lookup {
  struct lookup *next, **link; /* of those that are queued; of those asked */
  gch_chan *answer;
  struct addrinfo hints, *result;
  int err;
  _Atomic uint32_t refs;
  bool asked, has_hints;
  char *host, *service; /* in text */
  char text[];
};

struct list {
  struct lookup *first, **last;
};

static struct {
  struct gch_lock lock;
  struct list queued, asked;
  int threads;
  struct lookup *orphans; /* the parent's */
} all;

/* Lists; with the lock held */

static void add(struct list *l, struct lookup *k) {
  if (!l->first)
    l->last = &l->first;
  k->next = NULL;
  k->link = l->last;
  *l->last = k;
  l->last = &k->next;
}

static void take_out(struct list *l, struct lookup *k) {
  *k->link = k->next;
  if (k->next)
    k->next->link = k->link;
  else
    l->last = k->link;
}

/* Memory */

static void free_lookup(struct lookup *k) {
  if (k->result)
    freeaddrinfo(k->result);
  gch_unref(k->answer);
  free(k);
}

static void unref(struct lookup *k) {
  if (atomic_fetch_sub(&k->refs, 1) == 1)
    free_lookup(k);
}

static char *put(char **at, const char *s) {
  char *to = *at;
  if (!s)
    return NULL;
  *at = stpcpy(to, s) + 1;
  return to;
}

static struct lookup *new_lookup(const char *host, const char *service,
                                 const struct addrinfo *hints) {
  size_t room =
      (host ? strlen(host) + 1 : 0) + (service ? strlen(service) + 1 : 0);
  struct lookup *k = calloc(1, sizeof *k + room);
  if (!k)
    return NULL;
  char *at = k->text;
  k->host = put(&at, host);
  k->service = put(&at, service);
  k->has_hints = hints;
  if (hints)
    k->hints = (struct addrinfo){.ai_flags = hints->ai_flags,
                                 .ai_family = hints->ai_family,
                                 .ai_socktype = hints->ai_socktype,
                                 .ai_protocol = hints->ai_protocol};
  k->answer = gch_make(0, 0);
  atomic_init(&k->refs, 2);
  if (k->answer)
    return k;
  free(k);
  return NULL;
}

/* The threads */

static int error_of(int eai, int number, bool unknown_host) {
  switch (eai) {
  case 0:
    return 0;
  case EAI_MEMORY:
    return ENOMEM;
  case EAI_SYSTEM:
    return number == 0 || number == EAGAIN || number == EINTR ? EIO : number;
  case EAI_AGAIN:
  case EAI_FAIL:
    return EIO;
  case EAI_BADFLAGS:
  case EAI_FAMILY:
  case EAI_SERVICE:
  case EAI_SOCKTYPE:
    return EINVAL;
  default:
    return unknown_host ? EHOSTUNREACH : EINVAL;
  }
}

/* EAI_NONAME is about the host or the service; alone that needs no network. */
static bool knows_service(struct lookup *k, const struct addrinfo *hints) {
  struct addrinfo *ai = NULL;
  bool knows = !k->service || getaddrinfo(NULL, k->service, hints, &ai) == 0;
  if (ai)
    freeaddrinfo(ai);
  return knows;
}

static void ask(struct lookup *k) {
  const struct addrinfo *hints = k->has_hints ? &k->hints : NULL;
  errno = 0;
  int eai = getaddrinfo(k->host, k->service, hints, &k->result);
  int number = errno;
  bool unknown_host =
      k->host && (eai != EAI_NONAME || knows_service(k, hints));
  k->err = error_of(eai, number, unknown_host);
  if (k->err)
    k->result = NULL;
}

/* The next to ask; NULL: there is none, and the thread is not counted any
   more. */
static struct lookup *next_lookup(struct lookup *last) {
  gch__lock(&all.lock);
  if (last)
    take_out(&all.asked, last);
  struct lookup *k = all.queued.first;
  if (k) {
    take_out(&all.queued, k);
    add(&all.asked, k);
    k->asked = true;
  } else {
    all.threads--;
  }
  gch__unlock(&all.lock);
  return k;
}

static void *serve(void *unused) {
  struct lookup *k, *last = NULL;
  gch__thread_begin("gulch lookup", GCH_SLACK_USUAL);
  while ((k = next_lookup(last))) {
    if (last)
      unref(last);
    ask(k);
    gch_close(k->answer);
    last = k;
  }
  if (last)
    unref(last);
  return unused;
}

/* Whether there was such a place. */
static bool count_thread(void) {
  gch__lock(&all.lock);
  bool room = all.threads < MOST && all.queued.first;
  all.threads += room;
  gch__unlock(&all.lock);
  return room;
}

/* The thread that was counted could not be started. Where there is no other,
   who waits for one is told. */
static void no_thread(void) {
  struct lookup *k, *next;
  gch__lock(&all.lock);
  k = --all.threads == 0 ? all.queued.first : NULL;
  if (k)
    all.queued.first = NULL;
  for (struct lookup *w = k; w; w = w->next)
    w->asked = true;
  gch__unlock(&all.lock);
  for (; k; k = next) {
    next = k->next;
    k->err = ENOMEM;
    gch_close(k->answer);
    unref(k);
  }
}

static void free_orphans(void) {
  gch__lock(&all.lock);
  struct lookup *k = all.orphans, *next;
  all.orphans = NULL;
  gch__unlock(&all.lock);
  for (; k; k = next) {
    next = k->next;
    free_lookup(k);
  }
}

static void start(struct lookup *k) {
  gch__stay_loaded();
  gch__lock(&all.lock);
  add(&all.queued, k);
  gch__unlock(&all.lock);
  if (count_thread() &&
      gch__thread_start(GCH_THREAD_OURS, serve, NULL, STACK) != 0)
    no_thread();
}

/* The caller gives up; whether k was still queued, and will not be asked. */
static bool withdraw(struct lookup *k) {
  gch__lock(&all.lock);
  bool queued = !k->asked;
  if (queued)
    take_out(&all.queued, k);
  gch__unlock(&all.lock);
  return queued;
}

static int run(const gch_ctx *ctx, struct lookup *k, struct addrinfo **ai) {
  start(k);
  int err = gch_recv_ctx(ctx, k->answer, NULL);
  if (err != EPIPE || !gch_closed(k->answer)) { /* also a context's EPIPE */
    if (withdraw(k))
      unref(k);
    return err;
  }
  if (k->err == 0 && ai) {
    *ai = k->result;
    k->result = NULL;
  }
  return k->err;
}

int gch__net_lookup(const gch_ctx *ctx, const char *host, const char *service,
                    const struct addrinfo *hints, struct addrinfo **ai) {
  int err = gch_ctx_err(ctx);
  if (err)
    return err;
  if (!host && !service)
    return EINVAL;
  free_orphans();
  struct lookup *k = new_lookup(host, service, hints);
  if (!k)
    return ENOMEM;
  err = run(ctx, k, ai);
  unref(k);
  return err;
}

int gch_net_lookup(const gch_ctx *ctx, const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **ai) {
  int saved = errno;
  int err = gch__net_lookup(ctx, host, service, hints, ai);
  errno = saved;
  return err;
}

/* Fork */

static void before_fork(void) {
  gch__lock(&all.lock);
}

static void in_parent(void) {
  gch__unlock(&all.lock);
}

/* The threads' stacks are gone, but k->result of one who was in the middle of
   getaddrinfo is not yet set. */
static void leave_behind(struct list *l) {
  struct lookup *k, *next;
  for (k = l->first; k; k = next) {
    next = k->next;
    k->next = all.orphans;
    all.orphans = k;
  }
  l->first = NULL;
}

static void in_child(void) {
  leave_behind(&all.queued);
  leave_behind(&all.asked);
  all.threads = 0;
  gch__lock_reset(&all.lock);
}

const struct gch_fork_handlers gch__fork_net = {before_fork, in_parent,
                                                in_child};
