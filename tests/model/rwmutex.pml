/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers and writers of a rwmutex (sync/rwmutex.c), with the lists' lock. A
 * compare-and-swap loop is one atomic step, but what was loaded before a lock
 * is taken may be old by then. A deadline passes, and a context ends, whenever
 * spin likes; who is woken by a context is lost to wakers. Checked:
 * one writer or readers have it; nobody sleeps for ever; who waits waits for
 * somebody; and the store that hands over wipes out nothing. -DSTAY: a writer
 * that gives up leaves the readers where they are; -DOLD: the last reader takes
 * it for granted under the lock that there still is whom to hand over to;
 * -DTRUSTING: and that a writer that waits is not lost.
 */
#define N 4 /* 0 and 1 write, 2 and 3 read; 1 and 3 have contexts, 1 a deadline */
#define ROUNDS 2
#define WRITES (me < 2)
#define TIMED (me == 1)
#define IN_CONTEXT (me == 1 || me == 3)

bool WRITER, WAITERS;
byte count;
bool held; /* the lock of the lists */
bool waits[N], permit[N];
bool lost[N]; /* claimed by its context, while it waits */
bool first; /* of two writers that wait: who came first */
byte writing, reading;

#define writers_wait (waits[0] || waits[1])
#define readers_wait (waits[2] || waits[3])
#define is_consistent                                                          \
  assert(!WAITERS || WRITER || count > 0);                                     \
  assert(!readers_wait || WRITER || writers_wait);                             \
  assert(WAITERS == (writers_wait || readers_wait))

inline lock_lists() {
  atomic { !held -> held = true }
}

/* Checks what holds whenever nobody is inside. */
inline unlock_lists() {
  d_step {
    is_consistent;
    held = false
  }
}

#define stopped (WRITER || WAITERS || (WRITES && count > 0))

inline enter() {
  if
  :: WRITES -> WRITER = true
  :: else -> count++
  fi;
  got = true
}

/* Readers let in need no order among themselves. In a d_step. */
inline let_readers_in() {
  wake2 = waits[2] && !lost[2];
  wake3 = waits[3] && !lost[3];
  count = count + wake2 + wake3;
  waits[2] = false;
  waits[3] = false
}

inline wake() {
  if
  :: wake2 -> permit[2] = true; wake2 = false
  :: else
  fi;
  if
  :: wake3 -> permit[3] = true; wake3 = false
  :: else
  fi
}

/* With the lock, which it releases. */
inline leave() {
  d_step {
    waits[me] = false;
#ifndef STAY
    if
    :: !writers_wait && !WRITER -> let_readers_in()
    :: else
    fi;
#endif
    WAITERS = writers_wait || readers_wait
  }
  unlock_lists();
  wake()
}

inline sleep() {
  if
  :: permit[me] -> permit[me] = false; got = true
  :: TIMED ->
     lock_lists();
     if
     :: waits[me] -> leave()
     :: else -> unlock_lists(); permit[me] -> permit[me] = false; got = true
     fi
  :: atomic { IN_CONTEXT && waits[me] -> lost[me] = true };
     lock_lists();
     if
     :: waits[me] -> leave()
     :: else -> unlock_lists()
     fi;
     lost[me] = false
  fi
}

inline lock() {
  got = false;
  atomic {
    if
    :: !stopped -> enter()
    :: else
    fi
  }
  if
  :: !got ->
     lock_lists();
     atomic {
       if
       :: !stopped -> enter()
       :: else ->
          WAITERS = true;
          waits[me] = true;
          if
          :: WRITES && !waits[1 - me] -> first = me
          :: else
          fi
       fi
     }
     unlock_lists();
     if
     :: !got -> sleep()
     :: else
     fi
  :: else
  fi
}

/* Takes writer i off, and hands over to it if it is not lost. In a d_step. */
inline try_writer(i) {
  if
  :: waits[i] && !lost[i] -> next = i; WRITER = true
  :: else
  fi;
  waits[i] = false
}

/* To the first that is not lost, or nobody: next is N. In a d_step. */
inline hand_to_writer() {
  next = N;
  try_writer(first);
  first = 1 - first;
  if
  :: next == N -> try_writer(first)
  :: else
  fi
}

inline wake_next() {
  wake();
  if
  :: next < N -> permit[next] = true
  :: else
  fi
}

#define LAST (!WRITER && WAITERS && count == 1)

inline runlock() {
  do
  :: atomic { !LAST -> count--; break }
  :: LAST ->
     lock_lists();
#ifndef OLD
     if
     :: !LAST -> unlock_lists()
     :: else ->
#else
     if
     :: true ->
#endif
        d_step {
          assert(!WRITER && count == 1);
          hand_to_writer();
          count = 0;
#ifndef TRUSTING
          if
          :: next == N -> let_readers_in()
          :: else
          fi;
#endif
          WAITERS = writers_wait || readers_wait
        }
        unlock_lists();
        wake_next();
        break
     fi
  od
}

inline unlock() {
  do
  :: atomic { !WAITERS -> WRITER = false; break }
  :: WAITERS ->
     lock_lists();
     if
     :: !WAITERS -> unlock_lists()
     :: else ->
        d_step {
          assert(WRITER && count == 0);
          next = N;
          WRITER = false;
          let_readers_in();
          if
          :: count == 0 -> hand_to_writer()
          :: else
          fi;
          WAITERS = writers_wait || readers_wait
        }
        unlock_lists();
        wake_next();
        break
     fi
  od
}

inline write() {
  writing++;
  assert(writing == 1 && reading == 0);
  writing--;
  unlock()
}

inline read() {
  reading++;
  assert(writing == 0);
  reading--;
  runlock()
}

proctype user(byte me) {
  bool got, wake2, wake3;
  byte round, next;
  do
  :: round < ROUNDS ->
     lock();
     if
     :: got && WRITES -> write()
     :: got && !WRITES -> read()
     :: !got
     fi;
     round++
  :: else -> break
  od
}

init {
  atomic {
    run user(0);
    run user(1);
    run user(2);
    run user(3)
  }
  _nr_pr == 1;
  assert(!WRITER && !WAITERS && count == 0)
}
