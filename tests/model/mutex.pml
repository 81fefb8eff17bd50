/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock, lock_until and unlock of a mutex (sync/mutex.c), with the list's lock.
 * A compare-and-swap loop is one atomic step. A deadline passes, and a waiter's
 * patience ends, whenever spin likes. Checked: one at a time has it; nobody
 * sleeps for ever; WAITERS implies LOCKED or WOKEN; and the store in an unlock
 * with waiters wipes out nothing. -DKEEP_WOKEN: who was woken goes back to the
 * list without clearing WOKEN; -DUNSEEN: a sleeper enlists by a step that does
 * not look at LOCKED. In both spin finds a lock that never comes.
 */
#define N 3
#define ROUNDS 2
#define NOBODY N

bool LOCKED, WAITERS, WOKEN;
bool held; /* the lock of the list */
byte list[N], listed;
bool taken[N], owns[N], permit[N];
byte inside;

#define no_wake_is_lost assert(!WAITERS || LOCKED || WOKEN)

inline lock_list() {
  atomic { !held -> held = true }
}

inline unlock_list() {
  held = false
}

inline add(me, first) {
  d_step {
    i = listed;
    do
    :: first && i > 0 -> list[i] = list[i - 1]; i--
    :: else -> break
    od;
    list[i] = me;
    listed++;
    taken[me] = false;
    i = 0
  }
}

/* Takes the k-th off. */
inline remove(k) {
  d_step {
    listed--;
    i = k;
    do
    :: i < listed -> list[i] = list[i + 1]; i++
    :: else -> break
    od;
    i = 0
  }
}

inline take() {
  atomic {
    if
    :: !LOCKED -> LOCKED = true; WOKEN = WOKEN && !woken; got = true
    :: else
    fi;
    no_wake_is_lost
  }
}

/* With the list's lock. */
inline enlist() {
  atomic {
#ifndef UNSEEN
    if
    :: !LOCKED -> LOCKED = true; got = true
    :: else -> WAITERS = true
    fi;
#else
    WAITERS = true;
#endif
#ifndef KEEP_WOKEN
    WOKEN = WOKEN && !woken;
#endif
#ifndef UNSEEN
    no_wake_is_lost
#endif
  }
  if
  :: !got -> add(me, woken)
  :: else
  fi
}

/* With the list's lock, which it releases. */
inline leave() {
  d_step {
    k = 0;
    do
    :: list[k] != me -> k++
    :: else -> break
    od
  }
  remove(k);
  if
  :: listed == 0 -> WAITERS = false
  :: else
  fi;
  unlock_list()
}

inline sleep() {
  if
  :: permit[me] -> permit[me] = false
  :: timed ->
     lock_list();
     if
     :: !taken[me] -> leave(); late = true
     :: else -> unlock_list(); permit[me] -> permit[me] = false
     fi
  fi
}

inline lock() {
  got = false;
  late = false;
  woken = false;
  do
  :: got || late -> break
  :: else ->
     take();
     if
     :: got -> break
     :: else
     fi;
     lock_list();
     enlist();
     unlock_list();
     if
     :: got -> break
     :: else
     fi;
     sleep();
     if
     :: late
     :: !late && owns[me] -> got = true
     :: else -> woken = true
     fi
  od
}

/* With the list's lock. */
inline pass_on() {
  next = NOBODY;
  if
  :: listed > 0 ->
     next = list[0];
     remove(0);
     taken[next] = true;
     if
     :: owns[next] = true
     :: owns[next] = false
     fi
  :: else
  fi;
  d_step {
    assert(LOCKED && !WOKEN);
    LOCKED = next != NOBODY && owns[next];
    WOKEN = next != NOBODY && !owns[next];
    WAITERS = listed > 0;
    no_wake_is_lost
  }
}

inline unlock() {
  atomic {
    slow = WAITERS && !WOKEN;
    if
    :: !slow -> LOCKED = false
    :: else
    fi;
    no_wake_is_lost
  }
  if
  :: slow ->
     lock_list();
     pass_on();
     unlock_list();
     if
     :: next != NOBODY -> permit[next] = true
     :: else
     fi
  :: else
  fi
}

proctype locker(byte me; bool timed) {
  bool got, late, woken, slow;
  byte round, i, k, next;
  do
  :: round < ROUNDS ->
     lock();
     if
     :: got ->
        inside++;
        assert(inside == 1);
        inside--;
        unlock()
     :: else
     fi;
     round++
  :: else -> break
  od
}

init {
  atomic {
    run locker(0, false);
    run locker(1, false);
    run locker(2, true)
  }
  _nr_pr == 1;
  assert(!LOCKED && !WAITERS && !WOKEN && listed == 0)
}
