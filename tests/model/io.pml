/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A descriptor's record (io/record.h): an event against gch_io_close against a
 * deadline against the number being used again. File 1 has the number; one reader
 * comes at any time, with a deadline or not; file 1 may get a byte, and is closed;
 * then file 2 has the number, and gets a byte for each reader; the other comes
 * then. Without -DEDGE the descriptor is registered for one event at a time, with
 * it once, edge-triggered.
 *
 * Checked: each reader ends, with a byte, by the close, or at its deadline; the
 * number becomes free only when who came before the close is out; nobody touches
 * a record that is another's by now.
 *
 * Faults: -DNO_SEQ, who queues does not look whether something has come since it
 * tried (-DEDGE); -DNO_KICK, the closer does not look who came while it closed;
 * -DNO_WAIT, it does not wait for those who are in; -DNO_CHECK, who enters does
 * not look again whether the record still is the number's; -DNO_STATE, who queues
 * does not look whether it is closed; -DTWICE, who puts a record in the place of
 * one that was going does not look whether that is not the number's again.
 */
#define NONE 3
#define WAITING 0
#define CLAIMED 1
#define GAVE_UP 2
#define BAD 1

/* The kernel */
byte file = 1;
byte bytes[3];
bool reg[3], pending[3];
byte reg_record[3], reg_generation[3];

/* Records, and the table's one place */
byte table = NONE;
byte users[4], generation[4], seq[4]; /* the last: NONE */
bool locked[4], closing[4], gone[4], free[4], registered[4];

/* Readers */
byte queued[2], winner[2], err[2];
bool permit[2];

inline lock(l) { atomic { !locked[l] -> locked[l] = true } }
inline unlock(l) { locked[l] = false }

inline put(f) {
  atomic {
    bytes[f]++;
#ifdef EDGE
    pending[f] = reg[f];
#endif
  }
}

inline claim_one(who, rec, why) {
  if
  :: queued[who] == rec ->
     queued[who] = NONE;
     if
     :: winner[who] == WAITING ->
        winner[who] = CLAIMED; err[who] = why; permit[who] = true
     :: else
     fi
  :: else
  fi
}

inline claim(x, y) { atomic { claim_one(0, x, y); claim_one(1, x, y) } }

/* A record for a number that has none, or one that is going: still, under that
   one's lock, and not again. */
inline make(seen) {
  atomic {
    if
#ifdef TWICE
    :: table == seen && file != 0 ->
#else
    :: table == seen && file != 0 && (seen == NONE || gone[seen]) ->
#endif
       if
       :: free[0] -> r = 0
       :: else -> if :: free[1] -> r = 1 :: else -> assert(free[2]); r = 2 fi
       fi;
       free[r] = false; gone[r] = false; closing[r] = false;
       registered[r] = false; users[r] = 1; table = r
    :: else
    fi
  }
}

/* One user less; the last of an orphan frees it. */
inline leave(r) {
  atomic {
    users[r]--;
    if
    :: users[r] == 0 -> generation[r]++; gone[r] = true; free[r] = true
    :: else
    fi
  }
}

/* Becomes a user of the current record, r; or bad. */
inline enter() {
  bad = false;
  do
  :: r = table;
     if
     :: r == NONE || gone[r] ->
        if
        :: file == 0 -> bad = true; break
        :: else -> make(r)
        fi
     :: else ->
        atomic {
          if
          :: gone[r] -> entered = false
          :: closing[r] -> entered = false; bad = (table == r)
          :: else -> users[r]++; entered = true
          fi
        }
        if
        :: bad -> break
        :: !entered && !bad
        :: entered ->
#ifdef NO_CHECK
           break
#else
           if
           :: table == r -> break
           :: else -> leave(r)
           fi
#endif
        fi
     fi
  od;
  g = generation[r]
}

/* With the lock held: asks the kernel. ok, or the number is another's. */
inline arm() {
  atomic {
    ok = true;
    if
    :: file == 0 -> bad = true
    :: file != 0 && registered[r] && !reg[file] -> ok = false
    :: else ->
#ifdef EDGE
       if
       :: !registered[r] -> pending[file] = (bytes[file] > 0)
       :: else
       fi;
#else
       pending[file] = true; /* an event, once there is a byte */
#endif
       reg[file] = true; reg_record[file] = r;
       reg_generation[file] = generation[r]; registered[r] = true
    fi
  }
}

inline orphan() {
  atomic {
    if
    :: table == r -> table = NONE; users[r]--
    :: else
    fi
  }
}

proctype reader(byte me; bool deadline) {
  byte r, g, s;
  bool bad, entered, ok;
  enter();
  do
  :: bad -> break
  :: else ->
     s = seq[r];
     atomic { /* the system call */
       if
       :: file == 0 -> bad = true
       :: file != 0 && bytes[file] > 0 -> bytes[file]--; leave(r); goto out
       :: else
       fi
     }
     if
     :: bad -> leave(r); break
     :: else
     fi;
     lock(r);
     assert(generation[r] == g);
     ok = true;
     if
#ifndef NO_STATE
     :: closing[r] -> bad = true
#endif
#ifndef NO_SEQ
     :: seq[r] != s -> ok = false
#endif
     :: else -> arm();
        if
        :: !ok -> unlock(r); orphan(); leave(r); enter(); goto next
        :: else
        fi
     fi;
     if
     :: bad -> unlock(r); leave(r); break
     :: !bad && !ok -> unlock(r); goto next
     :: else
     fi;
     winner[me] = WAITING; queued[me] = r;
     unlock(r);
     if
     :: permit[me]
     :: deadline ->
        atomic {
          if
          :: winner[me] == WAITING -> winner[me] = GAVE_UP
          :: else
          fi
        }
        if
        :: winner[me] == GAVE_UP ->
           lock(r);
           assert(generation[r] == g);
           queued[me] = NONE;
           unlock(r); leave(r); break
        :: else -> permit[me]
        fi
     fi;
     permit[me] = false;
     assert(generation[r] == g);
     if
     :: err[me] == BAD -> leave(r); break
     :: else
     fi;
next: skip
  od;
out: skip
}

proctype poller() {
  byte r, g;
end:
  do
  :: atomic { pending[1] && bytes[1] > 0 ->
              pending[1] = false; r = reg_record[1]; g = reg_generation[1] };
     goto event
  :: atomic { pending[2] && bytes[2] > 0 ->
              pending[2] = false; r = reg_record[2]; g = reg_generation[2] };
event:
     lock(r);
     if
     :: generation[r] == g && registered[r] -> seq[r]++; claim(r, 0)
     :: else
     fi;
     unlock(r)
  od
}

proctype closer() {
  byte r, g, next;
  bool bad, entered;
  enter();
  assert(!bad);
  lock(r);
  closing[r] = true;
  claim(r, BAD);
  unlock(r);
#ifndef NO_WAIT
  users[r] == 2;
#endif
  lock(r);
  atomic {
    if
    :: registered[r] -> reg[1] = false; pending[1] = false; registered[r] = false
    :: else
    fi
  }
  gone[r] = true;
  unlock(r);
  atomic { file = 0; reg[1] = false; pending[1] = false }
  atomic {
    next = table;
    if
    :: next == r -> table = NONE; next = NONE
    :: else
    fi
  }
  lock(r);
  generation[r]++;
  atomic { users[r] = 0; free[r] = true }
  unlock(r);
#ifndef NO_KICK
  if
  :: next != NONE -> lock(next); seq[next]++; claim(next, 0); unlock(next)
  :: else
  fi;
#endif
  file = 2;
  run reader(1, false);
  put(2);
  put(2)
}

proctype writer() {
  put(1)
}

init {
  atomic {
    free[0] = true; free[1] = true; free[2] = true;
    gone[0] = true; gone[1] = true; gone[2] = true;
    queued[0] = NONE; queued[1] = NONE;
    run poller();
    run closer();
    if
    :: run writer()
    :: true
    fi;
    if
    :: run reader(0, true)
    :: run reader(0, false)
    fi
  }
}
