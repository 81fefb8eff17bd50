/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The alarm of a timer's channel (timer/chan_timer.c): receivers park, ask and
 * give up, the owner stops, starts again and lets go, time passes, and a due
 * alarm is fired by whoever has the time. The channel's lock makes each step
 * under it one, but that the alarm is set and taken under the queue's lock.
 * Checked: nobody is parked for ever while the value is there; no value is of a
 * start that was stopped, none is taken twice; nobody touches what is freed.
 *
 * Faults: -DLATE_ALARM, who parks sets the alarm without the channel's lock, and
 * does not look again; -DSTORE, the call ends by a store; -DNO_OTHERS, who was
 * served does not set the alarm for the next; -DFREE_AT_ONCE, the last to let go
 * does not wait for the call.
 */
#define NEVER 255

byte now = 0, when = NEVER;
bool locked;            /* the channel's lock */
byte parked = 0;        /* receivers in the queue */
byte handed = 0;        /* values given to them */
byte alarm = NEVER;     /* the entry; guarded by atomic steps: the queue's lock */
byte starts = 0, ends = 0;
byte receivers = 2;     /* that may still come */
bool owner_over, freed;

mtype = { IDLE, CALLED, LOOKING, GONE };
mtype firing = IDLE;

inline lock() { atomic { !locked -> assert(!freed); locked = true } }
inline unlock() { assert(!freed); locked = false }

/* In one step with what follows: the queue's lock. */
inline set_alarm() {
  atomic {
    if
    :: when != NEVER && alarm > when -> alarm = when
    :: else
    fi
  }
}

inline due_value(got) {
  got = false;
  if
  :: when <= now -> when = NEVER; ends++; got = true
  :: else
  fi
}

/* Parks until it is served, or gives up. */
proctype receiver() {
  bool got;
  lock();
  if
  :: when <= now && parked == 0 -> due_value(got); unlock(); goto out
  :: when <= now && parked > 0 -> /* serves the first, then queues itself */
     when = NEVER; ends++; parked--; handed++;
     if
     :: parked == 0 -> alarm = NEVER
     :: else
     fi
  :: else
  fi;
#ifdef LATE_ALARM
  unlock();
  set_alarm();
  lock();
#else
  set_alarm();
#endif
  parked++;
  unlock();
  if
  :: atomic { handed > 0 -> handed-- }
  :: owner_over -> /* gives up: nobody will start it again */
     lock();
     if
     :: handed > 0 -> handed--
     :: else ->
        parked--;
        if
        :: parked == 0 -> alarm = NEVER
        :: else
        fi
     fi;
     unlock()
  fi;
out:
  receivers--
}

proctype owner() {
  byte i = 0;
  do
  :: i < 2 ->
     lock();
     if /* start again, or stop */
     :: skip; if
        :: when != NEVER -> ends++
        :: else
        fi;
        when = (now < 4 -> now + 1 : now);
        starts++;
        if
        :: parked > 0 -> set_alarm()
        :: else
        fi
     :: skip; if
        :: when != NEVER -> ends++
        :: else
        fi;
        when = NEVER;
        if
        :: parked > 0 -> alarm = NEVER
        :: else
        fi
     fi;
     unlock();
     i++
  :: else -> break
  od;
  /* What runs is taken by who waits; it is stopped once nobody does. */
  do
  :: when == NEVER || parked == 0 -> break
  od;
  lock();
  if
  :: when != NEVER -> ends++
  :: else
  fi;
  when = NEVER;
  if
  :: parked > 0 -> alarm = NEVER
  :: else
  fi;
  unlock();
  owner_over = true;
  receivers == 0;
  /* the last unref */
  assert(starts == ends);
  alarm = NEVER;
#ifdef FREE_AT_ONCE
  freed = true;
#else
  if
  :: atomic { firing == IDLE -> firing = GONE; freed = true }
  :: atomic { firing != IDLE -> firing = GONE }
  fi
#endif
}

proctype clock() {
  do
  :: now < 4 -> now++
  :: else -> break
  od
}

chan listed = [2] of { byte };

/* Fires: takes the entry out, and lists the call, in one step. */
proctype queue() {
  do
  :: atomic {
       alarm != NEVER && alarm <= now ->
       alarm = NEVER;
       if
       :: firing == IDLE -> firing = CALLED; listed!1
       :: else -> firing = CALLED
       fi
     }
  :: freed -> break
  od
}

proctype caller() {
  byte one;
again:
  do
  :: listed?one ->
     do
     :: atomic { firing == CALLED -> firing = LOOKING }
        lock();
        if
        :: when <= now && parked > 0 ->
           when = NEVER; ends++; parked--; handed++
        :: else
        fi;
#ifndef NO_OTHERS
        if
        :: parked > 0 -> set_alarm()
        :: else
        fi;
#endif
        unlock();
#ifdef STORE
        if
        :: firing == GONE -> freed = true; goto again
        :: else -> firing = IDLE; break
        fi
#else
        if
        :: atomic { firing == LOOKING -> firing = IDLE } break
        :: atomic { firing == CALLED -> skip }
        :: atomic { firing == GONE -> freed = true } break
        fi
#endif
     :: atomic { firing == GONE -> freed = true } break
     od
  :: freed && len(listed) == 0 -> break
  od
}

init {
  atomic {
    run receiver(); run receiver(); run owner(); run clock(); run queue();
    run caller(); run caller()
  }
}
