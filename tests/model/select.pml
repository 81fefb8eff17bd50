/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Select, claims, deadlines and close: a model of chan/select.c, chan/waiter.h
 * and chan/close.c for spin. Two selects over two unbuffered channels, which
 * can serve each other on either:
 *
 *     select 0: recv x, send y            select 1: send x, recv y
 *
 * and, by -D: DEADLINE, each may give up at any time; CLOSE, a third process
 * closes x. ONE_LOCK takes the channels' locks one at a time instead of all at
 * once: then spin finds the lost wake.
 *
 * Checked: nobody sleeps for ever (spin's invalid end states); a group is
 * claimed once; nothing is touched after its sleeper has returned; both ends of
 * a rendezvous agree on it; nothing is left in a queue.
 */
#define WAITING 9
#define GAVE_UP 8
#define CLOSED 7 /* x was closed; y never is */

/* Channel c: select s stands in it as sender if s + c == 1, else as receiver;
   so the two selects always stand in opposite queues of it. */
bool locked[2];
bool queued[4]; /* AT(c, s) */
#define AT(c, s) ((c) * 2 + (s))
bool closed_x;
byte winner[2] = {WAITING, WAITING};
bool by_close[2];
bool permit[2];
bool returned[2];
byte result[2] = {WAITING, WAITING};

inline lock(c) { atomic { !locked[c] -> locked[c] = true } }
inline unlock(c) { locked[c] = false }

inline lock_all() { lock(0); lock(1) }
inline unlock_all() { unlock(1); unlock(0) }

/* With the lock held: takes the other select's waiter out of the queue and
   tries to claim it. */
inline serve(c) {
  assert(!returned[1 - me]);
  queued[AT(c, 1 - me)] = false;
  atomic {
    if
    :: winner[1 - me] == WAITING -> winner[1 - me] = c; fired = c; partner = true
    :: else
    fi
  }
}

/* One look at channel c, under its lock. */
inline look_x() {
  if
  :: closed_x -> fired = CLOSED
  :: !closed_x && queued[AT(0, 1 - me)] -> serve(0)
  :: else
  fi
}

inline look_y() {
  if
  :: queued[AT(1, 1 - me)] -> serve(1)
  :: else
  fi
}

/* The ready cases in either order. */
inline look_both() {
  if
  :: true -> look_x(); if :: fired == WAITING -> look_y() :: else fi
  :: true -> look_y(); if :: fired == WAITING -> look_x() :: else fi
  fi
}

inline wake_partner() {
  if
  :: partner -> assert(!returned[1 - me]); permit[1 - me] = true
  :: else
  fi
}

inline park() {
  if
  :: permit[me] -> fired = winner[me]
#ifdef DEADLINE
  :: true ->
     atomic {
       if
       :: winner[me] == WAITING -> winner[me] = GAVE_UP; fired = GAVE_UP
       :: else
       fi
     }
     if
     :: fired == WAITING -> permit[me]; fired = winner[me]
     :: else
     fi
#endif
  fi
}

inline leave() {
  lock(0); queued[AT(0, me)] = false; unlock(0);
  lock(1); queued[AT(1, me)] = false; unlock(1)
}

proctype selector(byte me) {
  byte fired = WAITING;
  bool partner = false;
#ifdef ONE_LOCK
  lock(0); look_x(); unlock(0);
  if
  :: fired == WAITING -> lock(1); look_y(); unlock(1)
  :: else
  fi;
  if
  :: fired == WAITING ->
     lock(0); queued[AT(0, me)] = true; unlock(0);
     lock(1); queued[AT(1, me)] = true; unlock(1)
  :: else
  fi;
#else
  lock_all();
  look_both();
  if
  :: fired == WAITING -> queued[AT(0, me)] = true; queued[AT(1, me)] = true
  :: else
  fi;
  unlock_all();
#endif
  if
  :: fired != WAITING -> wake_partner()
  :: else -> park(); leave()
  fi;
  if
  :: by_close[me] -> fired = CLOSED
  :: else
  fi;
  assert(fired != WAITING);
  result[me] = fired;
  returned[me] = true
}

proctype closer() {
  bool wakes[2];
  byte s = 0;
  lock(0);
  closed_x = true;
  do
  :: s < 2 ->
     if
     :: queued[AT(0, s)] ->
        assert(!returned[s]);
        queued[AT(0, s)] = false;
        atomic {
          if
          :: winner[s] == WAITING -> winner[s] = 0; by_close[s] = true; wakes[s] = true
          :: else
          fi
        }
     :: else
     fi;
     s++
  :: else -> break
  od;
  unlock(0);
  s = 0;
  do
  :: s < 2 ->
     if
     :: wakes[s] -> assert(!returned[s]); permit[s] = true
     :: else
     fi;
     s++
  :: else -> break
  od
}

#ifdef CLOSE
#define AGAIN (result[0] == CLOSED || result[1] == CLOSED)
#else
#define AGAIN false
#endif

init {
  atomic {
    run selector(0);
    run selector(1);
#ifdef CLOSE
    run closer()
#endif
  }
  returned[0] && returned[1];
  /* A rendezvous has two ends; the rest gave up or saw the close. */
  assert((result[0] <= 1) == (result[1] <= 1));
  assert(result[0] > 1 || result[0] == result[1]);
  assert(AGAIN || result[0] <= 1 || result[0] == GAVE_UP);
  assert(!queued[AT(0, 0)] && !queued[AT(0, 1)] && !queued[AT(1, 0)] && !queued[AT(1, 1)])
}
