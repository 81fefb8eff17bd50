/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To a disposition that was there before, as the kernel would go about it.
 *
 *     the old one       is kept by
 *     sa_mask,          our own action, which has the same: so they are in
 *     SA_NODEFER,       force while the old handler runs, and it may return, or
 *     SA_RESTART        leave by longjmp, as ever
 *     SA_RESETHAND      a flag: the first call takes it
 *     SA_ONSTACK        our own action, which has it in any case
 *     no SA_ONSTACK     sending the signal to ourselves once more
 *     SIG_DFL           installing it, and sending the signal once more
 *     SIG_IGN           a return, where the signal was sent; a fault kills
 *
 * Sent once more: with the siginfo that came, to this thread, where it is
 * blocked until we return. The kernel delivers it then, before the instruction
 * that was interrupted, whose registers it finds as they were. So a fault need
 * not happen again, which it may not, once another thread has mapped the page.
 * For a handler without SA_ONSTACK our own action has none either, until we are
 * called again, on the stack that was interrupted. (Where another thread has
 * put it back meanwhile, we try once more. One that overflows its stack just
 * then has none for our handler, and dies of the signal without a word.)
 *
 * `again` is the thread's. It is set with the signal blocked, and taken by the
 * next delivery.
 */
#include "go/chain.h"

#include "park/cpu.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

typedef void handler_fn(int, siginfo_t *, void *);

static struct old {
  struct sigaction action, ours;
  atomic_bool spent; /* by SA_RESETHAND */
} old_segv, old_bus;

enum { TRIES = 8 };

static GCH_THREAD_LOCAL struct {
  int sig;   /* that comes again; 0: none */
  int tries; /* before */
} again;

static struct old *old_of(int sig) {
  return sig == SIGSEGV ? &old_segv : &old_bus;
}

/* A program's own handler is there, not one of the kernel's two. */
static bool is_call(const struct sigaction *a) {
  return a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN;
}

/* Again, in a child that was forked meanwhile: it is there already. */
void gch__chain_install(int sig, handler_fn *handler) {
  struct old *old = old_of(sig);
  struct sigaction *ours = &old->ours, now;
  sigaction(sig, NULL, &now);
  if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handler)
    return;
  old->action = now;
  ours->sa_sigaction = handler;
  if (is_call(&old->action)) {
    ours->sa_mask = old->action.sa_mask;
    ours->sa_flags = old->action.sa_flags & (int)(SA_NODEFER | SA_RESTART);
  } else {
    sigemptyset(&ours->sa_mask);
    ours->sa_flags = SA_RESTART; /* what is ignored interrupts nothing */
  }
  ours->sa_flags |= SA_SIGINFO | SA_ONSTACK;
  sigaction(sig, ours, NULL);
}

bool gch__chain_informed(int sig) {
  struct old *old = old_of(sig);
  struct sigaction now;
  if (sigaction(sig, NULL, &now) != 0 || now.sa_flags & SA_SIGINFO)
    return true;
  bool ours = now.sa_handler == (void (*)(int))(void *)old->ours.sa_sigaction;
  sigaction(sig, ours ? &old->ours : &old->action, NULL);
  return false;
}

/* Blocks sig and sends it to this thread. False: it could not, and sig is
   blocked or not as it was. */
static bool send_again(int sig, siginfo_t *info) {
  sigset_t set, before;
  bool sent = false;
  int saved = errno;
  sigemptyset(&set);
  sigaddset(&set, sig);
  pthread_sigmask(SIG_BLOCK, &set, &before);
#ifdef SYS_rt_tgsigqueueinfo
  sent = syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), sig,
                 info) == 0;
#endif
  if (!sent)
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = saved;
  return sent;
}

/* The end. Where the signal can't be sent, a fault comes again by itself. */
static void die_of(int sig, siginfo_t *info) {
  signal(sig, SIG_DFL);
  if (!send_again(sig, info) && info->si_code <= 0)
    raise(sig);
}

static bool on_signal_stack(const ucontext_t *context) {
  const stack_t *s = &context->uc_stack;
  return !(s->ss_flags & SS_DISABLE) &&
         (uintptr_t)__builtin_frame_address(0) - (uintptr_t)s->ss_sp <
             s->ss_size;
}

/* With or without the thread's signal stack from now on. */
static void use_stack(const struct old *old, int sig, bool use) {
  struct sigaction a = old->ours;
  a.sa_flags &= use ? -1 : ~SA_ONSTACK;
  sigaction(sig, &a, NULL);
}

/* Else who was installed since has called us. */
static bool is_installed(const struct old *old, int sig) {
  struct sigaction now;
  return sigaction(sig, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
         now.sa_sigaction == old->ours.sa_sigaction;
}

/* Off the signal stack that we are on. False: it can't be done. */
static bool leave_stack(const struct old *old, int sig, siginfo_t *info) {
  if (again.tries == TRIES || !is_installed(old, sig))
    return false;
  use_stack(old, sig, false);
  if (!send_again(sig, info)) {
    use_stack(old, sig, true);
    return false;
  }
  again.sig = sig;
  again.tries++;
  return true;
}

/* If sig has come again, our action is as usual from now on. */
static void come_again(const struct old *old, int sig) {
  if (again.sig == sig)
    use_stack(old, sig, true);
  else
    again.tries = 0;
  again.sig = 0;
}

static void call(const struct sigaction *a, int sig, siginfo_t *info,
                 void *context) {
  if (a->sa_flags & SA_SIGINFO)
    a->sa_sigaction(sig, info, context);
  else
    a->sa_handler(sig);
}

/* Whether the handler is still there for this delivery. */
static bool take_call(struct old *old) {
  return !(old->action.sa_flags & (int)SA_RESETHAND) ||
         !atomic_exchange(&old->spent, true);
}

void gch__chain(int sig, siginfo_t *info, void *context) {
  struct old *old = old_of(sig);
  const struct sigaction *a = &old->action;
  come_again(old, sig);
  if (a->sa_handler == SIG_IGN && info->si_code <= 0)
    return;
  if (is_call(a) && !(a->sa_flags & SA_ONSTACK) && on_signal_stack(context) &&
      leave_stack(old, sig, info))
    return;
  if (is_call(a) && take_call(old))
    call(a, sig, info, context);
  else
    die_of(sig, info);
}
