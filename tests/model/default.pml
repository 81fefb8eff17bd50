/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two looks by which a select's default fires without a lock (chan/ready.h),
 * at two channels with room for one value. Another thread moves readiness from
 * one to the other and back; at each instant at least one has a value. Checked:
 * the looks never find both empty. Faults: -DONE_LOOK, -DNO_TURNS, and -DSWAPPED:
 * the second look reads the turns before the readiness.
 */
byte values[2], turns[2];

init {
  atomic { values[0] = 1; run mover(); run selector() }
}

proctype mover() {
  byte to = 1, moves = 0;
  do
  :: moves < 4 ->
     values[to] = 1;
     turns[1 - to]++;
     values[1 - to] = 0;
     to = 1 - to;
     moves++
  :: else -> break
  od
}

proctype selector() {
  byte first[2], i = 0;
  do
  :: i < 2 ->
     first[i] = turns[i];
     if
     :: values[i] > 0 -> goto ready
     :: else
     fi;
     i++
  :: else -> break
  od;
#ifndef ONE_LOOK
  i = 0;
  do
  :: i < 2 ->
#ifdef SWAPPED
     if
     :: turns[i] != first[i] -> goto ready
     :: else
     fi;
#endif
     if
     :: values[i] > 0 -> goto ready
     :: else
     fi;
#if !defined(NO_TURNS) && !defined(SWAPPED)
     if
     :: turns[i] != first[i] -> goto ready
     :: else
     fi;
#endif
     i++
  :: else -> break
  od;
#endif
  assert(false); /* the default fires */
ready:
  skip
}
