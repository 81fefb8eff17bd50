/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers and writers of a rwmutex (sync/rwmutex.c), with the lists' lock. A
 * compare-and-swap loop is one atomic step, but what was loaded before a lock
 * is taken may be old by then. A deadline passes, a writer's patience ends, and a
 * context ends, whenever spin likes; who is woken by a context is lost to wakers.
 * Checked: one writer or readers have it; nobody sleeps for ever; who waits waits
 * for somebody. -DSTAY: who gives up the seat leaves the readers where they are;
 * -DTRUSTING: the last reader takes it for granted that the writer which it lets
 * in is not lost; -DKEEP_WOKEN: a writer that was woken goes back to the list
 * without clearing WOKEN; -DUNSEEN: a writer sleeps over readers by a step that
 * does not look whether there still are some.
 */
#define N 4 /* 0 and 1 write, 2 and 3 read; 1 and 3 have contexts, 1 a deadline */
#define ROUNDS(me) (WRITES -> 2 : 1)
#define NOBODY N
#define WRITES (me < 2)
#define TIMED (me == 1)
#define IN_CONTEXT (me == 1 || me == 3)

bool WRITER, RWAIT, WWAIT, WOKEN, DRAINS;
byte count;
bool held; /* the lock of the lists */
bool waits[N]; /* readers, and writers for the seat */
byte seat = NOBODY; /* the writer that sleeps until the readers are gone */
bool permit[N], has_seat[2];
bool lost[N]; /* claimed by its context, while it waits */
bool first;   /* of two writers that wait: who is */
byte writing, reading;

#define writers_wait (waits[0] || waits[1])
#define readers_wait (waits[2] || waits[3])
#define is_consistent                                                          \
  assert(!RWAIT || WRITER);                                                    \
  assert(!WWAIT || WRITER || WOKEN);                                           \
  assert(!DRAINS || (WRITER && count > 0));                                    \
  assert(RWAIT == readers_wait && WWAIT == writers_wait);                      \
  assert(DRAINS == (seat != NOBODY))

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

/* Takes writer i off the list; next is it, if it is not lost. In a d_step. */
inline try_writer(i) {
  if
  :: waits[i] && !lost[i] -> next = i
  :: else
  fi;
  waits[i] = false
}

/* With the lock: gives up the seat, and mine of the readers' shares. */
inline give_up_seat(mine) {
  if
  :: patient = true
  :: patient = false
  fi;
  d_step {
    WRITER = false;
    DRAINS = false;
#ifndef STAY
    wake2 = waits[2] && !lost[2];
    wake3 = waits[3] && !lost[3];
    waits[2] = false;
    waits[3] = false;
    RWAIT = false;
#endif
    count = count + wake2 + wake3 - mine;
    next = NOBODY;
    if
    :: !WOKEN ->
       try_writer(first);
       if
       :: next == NOBODY -> first = 1 - first; try_writer(first)
       :: else
       fi;
       first = 1 - first
    :: else
    fi;
    if
    :: next != NOBODY && patient -> has_seat[next] = true; WRITER = true
    :: next != NOBODY && !patient -> has_seat[next] = false; WOKEN = true
    :: else
    fi;
    WWAIT = writers_wait;
    patient = false
  }
}

inline wake() {
  if
  :: next != NOBODY -> permit[next] = true; next = NOBODY
  :: else
  fi;
  if
  :: wake2 -> permit[2] = true; wake2 = false
  :: else
  fi;
  if
  :: wake3 -> permit[3] = true; wake3 = false
  :: else
  fi
}

/* listed: on the list that it was put on. Gives up with the lock held. */
#define LISTED (waits[me] || seat == me)

inline sleep() {
  over = false;
  if
  :: permit[me] -> permit[me] = false
  :: TIMED ->
     lock_lists();
     if
     :: LISTED -> over = true; leave()
     :: else -> unlock_lists(); permit[me] -> permit[me] = false
     fi
  :: atomic { IN_CONTEXT && LISTED && !lost[me] -> lost[me] = true };
     over = true;
     lock_lists();
     if
     :: LISTED -> leave()
     :: else -> unlock_lists()
     fi;
     lost[me] = false
  fi
}

/* With the lock, which it releases. */
inline leave() {
  if
  :: seat == me -> seat = NOBODY; give_up_seat(0)
  :: else ->
     d_step {
       waits[me] = false;
       RWAIT = readers_wait;
       WWAIT = writers_wait
     }
  fi;
  unlock_lists();
  wake()
}

inline rlock() {
  got = false;
  atomic {
    if
    :: !WRITER -> count++; got = true
    :: else
    fi
  }
  if
  :: !got ->
     lock_lists();
     atomic {
       if
       :: !WRITER -> count++; got = true
       :: else -> RWAIT = true; waits[me] = true
       fi
     }
     unlock_lists();
     if
     :: !got -> sleep(); got = !over
     :: else
     fi
  :: else
  fi
}

#define LAST (DRAINS && count == 1)

inline runlock() {
  do
  :: atomic { !LAST -> count--; break }
  :: LAST ->
     lock_lists();
     if
     :: !LAST -> unlock_lists()
     :: else ->
        assert(WRITER && seat != NOBODY);
#ifndef TRUSTING
        if
        :: atomic { !lost[seat] -> next = seat; seat = NOBODY; count = 0;
                    DRAINS = false }
        :: atomic { lost[seat] -> seat = NOBODY };
           give_up_seat(1)
        fi;
#else
        d_step { next = seat; seat = NOBODY; count = 0; DRAINS = false };
#endif
        unlock_lists();
        wake();
        break
     fi
  od
}

/* Leaves with got, or over. */
inline take_seat() {
  got = false;
  over = false;
  woken = false;
  do
  :: got || over -> break
  :: else ->
     atomic {
       if
       :: !WRITER -> WRITER = true; WOKEN = WOKEN && !woken; got = true
       :: else
       fi
     }
     if
     :: got -> break
     :: else
     fi;
     lock_lists();
     atomic {
       if
       :: !WRITER -> WRITER = true; got = true
       :: else ->
          WWAIT = true;
          waits[me] = true;
          if
          :: woken || !waits[1 - me] -> first = me
          :: else
          fi
       fi;
#ifndef KEEP_WOKEN
       WOKEN = WOKEN && !woken
#endif
     }
     unlock_lists();
     if
     :: got -> break
     :: else
     fi;
     sleep();
     if
     :: over
     :: !over && has_seat[me] -> got = true
     :: else -> woken = true
     fi
  od
}

/* Has the seat; leaves with got, or over. */
inline drain() {
  if
  :: count == 0
  :: count > 0 ->
     lock_lists();
#ifndef UNSEEN
     atomic {
       if
       :: count > 0 -> DRAINS = true; seat = me
       :: else
       fi
     }
#else
     d_step { DRAINS = true; seat = me };
#endif
     if
     :: seat == me ->
#ifndef UNSEEN
        unlock_lists();
#else
        held = false;
#endif
        sleep();
        got = !over
     :: else -> unlock_lists()
     fi
  fi
}

inline unlock() {
  atomic {
    slow = RWAIT || (WWAIT && !WOKEN);
    if
    :: !slow -> WRITER = false
    :: else
    fi
  }
  if
  :: slow ->
     lock_lists();
     assert(WRITER && count == 0 && !DRAINS);
     give_up_seat(0);
     unlock_lists();
     wake()
  :: else
  fi
}

inline write() {
  take_seat();
  if
  :: got -> drain()
  :: else
  fi;
  if
  :: got ->
     writing++;
     assert(writing == 1 && reading == 0 && WRITER && count == 0);
     writing--;
     unlock()
  :: else
  fi
}

inline read() {
  rlock();
  if
  :: got ->
     reading++;
     assert(writing == 0);
     reading--;
     runlock()
  :: else
  fi
}

proctype user(byte me) {
  bool got, over, woken, slow, patient, wake2, wake3;
  byte round, next = NOBODY;
  do
  :: round < ROUNDS(me) ->
     if
     :: WRITES -> write()
     :: else -> read()
     fi;
     atomic { got = false; over = false; woken = false; slow = false; round++ }
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
  assert(!WRITER && !RWAIT && !WWAIT && !WOKEN && !DRAINS && count == 0)
}
