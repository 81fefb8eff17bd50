/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * park and unpark (park/parker.c) on a futex, with one parker used again and
 * again, as the library's own thread does. The waker publishes twice and unparks
 * after each. Checked: the sleeper gets to see both (no wake is lost). -DSTORE:
 * the permit is taken by a load and a store instead of an exchange: then spin
 * finds the lost wake.
 */
#define EMPTY 0
#define PERMIT 1
#define ASLEEP 2

byte state = EMPTY;
bool in_kernel, woken;
byte published, seen;

inline take_permit(got) {
#ifdef STORE
  if
  :: state == PERMIT -> got = true; seen = published; state = EMPTY
  :: else
  fi
#else
  atomic {
    if
    :: state == PERMIT -> state = EMPTY; got = true; seen = published
    :: else
    fi
  }
#endif
}

/* Sleeps if the word is ASLEEP, until a wake. */
inline futex_wait() {
  atomic { woken = false; in_kernel = (state == ASLEEP) }
  if
  :: !in_kernel
  :: in_kernel && woken
  fi;
  in_kernel = false
}

inline park() {
  got = false;
  take_permit(got);
  do
  :: got -> break
  :: else ->
     atomic {
       if
       :: state == EMPTY -> state = ASLEEP
       :: else
       fi
     }
     futex_wait();
     take_permit(got);
     atomic {
       if
       :: !got && state == ASLEEP -> state = EMPTY
       :: else
       fi
     }
  od
}

active proctype sleeper() {
  bool got;
  do
  :: seen < 2 -> park()
  :: else -> break
  od
}

inline unpark() {
  atomic { was = state; state = PERMIT }
  if
  :: was == ASLEEP -> woken = true
  :: else
  fi
}

active proctype waker() {
  byte was;
  published = 1;
  unpark();
  published = 2;
  unpark()
}
