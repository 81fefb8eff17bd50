/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small lock (park/lock.c): one lock, and the neighbours of which a release
 * may take it for wanted. A release's store may be seen late, after its looks,
 * until the heavy fence of one who is about to sleep; but not by its own thread.
 * Checked: one at a time has it, and nobody sleeps for ever; wakes are for who
 * sleeps, and one is under way at most. -DLIGHT: a sleeper makes no heavy fence;
 * -DEARLY: it makes it before it makes the lock wanted; -DFORGET: one who was
 * woken and has got the lock does not leave it wanted by the others. In each spin
 * finds a thread that sleeps for ever.
 */
#define N 3
#define ROUNDS 2
#define NOBODY N

bool HELD;          /* as all see it */
byte late = NOBODY; /* whose release is not seen yet */
byte list[N], listed;
bool asleep[N], woken[N];
byte inside;

#define WANTED (listed > 0 && asleep[list[0]])

inline one_is_woken_at_most() {
  assert(woken[0] + woken[1] + woken[2] <= 1)
}

/* All stores are seen. In an atomic step. */
inline flush() {
  if
  :: late != NOBODY -> late = NOBODY; HELD = false
  :: else
  fi
}

/* The memory of who unlocks comes to be seen by itself. */
active proctype memory() {
end:
  do
  :: atomic { late != NOBODY -> flush() }
  od
}

/* A locked instruction: what its own thread stored is seen before it. */
inline try_lock() {
  atomic {
    if
    :: late == me -> flush()
    :: else
    fi;
    if
    :: !HELD -> HELD = true; got = true
    :: else
    fi
  }
}

inline heavy_fence() {
#ifndef LIGHT
  atomic { flush() }
#else
  skip
#endif
}

/* With the bucket held: one step each. */
inline become_wanted() {
  d_step {
    if
    :: !woken[me] -> list[listed] = me; listed++
    :: else -> woken[me] = false
    fi;
    asleep[me] = true
  }
}

inline leave() {
  d_step {
    i = 0;
    do
    :: list[i] != me -> i++
    :: else -> break
    od;
    listed--;
    do
    :: i < listed -> list[i] = list[i + 1]; i++
    :: else -> break
    od;
    i = 0;
#ifdef FORGET
    if
    :: woken[me] && listed > 0 -> asleep[list[0]] = false
    :: else
    fi;
#endif
    asleep[me] = false;
    woken[me] = false
  }
}

inline lock() {
  got = false;
  try_lock();
  if
  :: !got ->
     do
#ifndef EARLY
     :: become_wanted(); heavy_fence();
#else
     :: heavy_fence(); become_wanted();
#endif
        try_lock();
        if
        :: got -> break
        :: else
        fi;
        woken[me];
        try_lock();
        if
        :: got -> break
        :: else
        fi
     od;
     leave()
  :: else
  fi
}

/* Only one can be at this: who has the lock. */
inline unlock() {
  atomic { late == NOBODY || late == me };
  late = me;
  if
  :: WANTED ->
     d_step {
       if
       :: WANTED -> asleep[list[0]] = false; woken[list[0]] = true
       :: else
       fi;
       one_is_woken_at_most()
     }
  :: else
  fi
}

proctype user(byte me) {
  bool got;
  byte round, i;
  do
  :: round < ROUNDS ->
     lock();
     inside++;
     assert(inside == 1);
     inside--;
     unlock();
     round++
  :: else -> break
  od
}

init {
  atomic {
    run user(0);
    run user(1);
    run user(2)
  }
  _nr_pr == 2;
  assert(listed == 0)
}
