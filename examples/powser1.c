/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power series as channels of rational coefficients, after McIlroy, "Squinting
 * at power series", and Go's test/chan/powser1.go.
 *
 *     type PS struct{ req chan int; dat chan rat }
 *
 *     func Mul(U, V PS) PS {
 *         Z := mkPS()
 *         go func() {
 *             <-Z.req
 *             u, v := get2(U, V)
 *             Z.dat <- mul(u, v)
 *             UU, VV := Split(U), Split(V)
 *             W := Add(Cmul(u, VV[0]), Cmul(v, UU[0]))
 *             <-Z.req
 *             Z.dat <- get(W)
 *             copy(Add(W, Mul(UU[1], VV[1])), Z)
 *         }()
 *         return Z
 *     }
 *     func Exp(U PS) PS {
 *         ZZ := mkPS2()
 *         split(Integ(one, Mul(ZZ[0], Diff(U))), ZZ)
 *         return ZZ[1]
 *     }
 *
 * A series works only on demand: who wants a term sends a request, then
 * receives the term. All tasks end when the context is done.
 *
 * Functions that take a series take over the caller's reference. Where there is
 * no memory the context is cancelled and what is returned is of no use.
 */
#include "example.h"

enum { TERMS = 10, MAX_TERMS = TERMS + 2 }; /* to print; asked of a series */

struct rat {
  int64_t num, den; /* den > 0, no common divisor */
};

static const struct rat zero = {0, 1}, one = {1, 1};

static struct rat rat(int64_t num, int64_t den) {
  int64_t a = num < 0 ? -num : num, b = den;
  while (b != 0) {
    int64_t r = a % b;
    a = b;
    b = r;
  }
  return (struct rat){num / a, den / a};
}

static struct rat rat_add(struct rat a, struct rat b) {
  return rat(a.num * b.den + b.num * a.den, a.den * b.den);
}

static struct rat rat_mul(struct rat a, struct rat b) {
  return rat(a.num * b.num, a.den * b.den);
}

typedef struct series {
  gch_chan *req; /* of nothing */
  gch_chan *dat; /* of struct rat */
} series;

static gch_ctx *world; /* done: all tasks end */
static gch_wg tasks;

static series series_new(void) {
  series s = {gch_make(0, 0), gch_make_of(struct rat, 0)};
  if (!s.req || !s.dat)
    gch_ctx_cancel_cause(world, ENOMEM);
  return s;
}

static series series_ref(series s) {
  return (series){gch_ref(s.req), gch_ref(s.dat)};
}

static void series_unref(series s) {
  gch_unref(s.req);
  gch_unref(s.dat);
}

static series series_take(series *s) {
  series taken = *s;
  *s = (series){NULL, NULL};
  return taken;
}

/* These are false when the world has ended. */
static bool get(series s, struct rat *v) {
  return gch_send_ctx(world, s.req, NULL) == 0 &&
         gch_recv_ctx(world, s.dat, v) == 0;
}

static bool asked(series s) {
  return gch_recv_ctx(world, s.req, NULL) == 0;
}

static bool give(series s, struct rat v) {
  return gch_send_ctx(world, s.dat, &v) == 0;
}

static bool put(series s, struct rat v) {
  return asked(s) && give(s, v);
}

/* What a task works on. It owns its references. */
struct op {
  void (*run)(struct op *);
  series in[2], out[2];
  struct rat c;
  int n;
};

static void op_end(struct op *op) {
  for (int i = 0; i < 2; i++) {
    series_unref(op->in[i]);
    series_unref(op->out[i]);
  }
}

static void op_task(void *arg) {
  struct op *op = arg;
  op->run(op);
  op_end(op);
  gch_wg_done(&tasks);
}

static void op_start(struct op op) {
  for (int i = 0; i < 2; i++)
    series_ref(op.out[i]);
  gch_wg_add(&tasks, 1);
  int err = gch_go_copy(op_task, &op, sizeof op);
  if (err) {
    gch_ctx_cancel_cause(world, err);
    op_end(&op);
    gch_wg_done(&tasks);
  }
}

/* The series that op makes. */
static series made_by(struct op op) {
  op.out[0] = series_new();
  op_start(op);
  return op.out[0];
}

static void run_constant(struct op *op) {
  while (put(op->out[0], op->c))
    ;
}

static series constant(struct rat c) {
  return made_by((struct op){run_constant, .c = c});
}

static void run_add(struct op *op) {
  struct rat u, v;
  while (asked(op->out[0]) && get(op->in[0], &u) && get(op->in[1], &v) &&
         give(op->out[0], rat_add(u, v)))
    ;
}

static series add(series u, series v) {
  return made_by((struct op){run_add, .in = {u, v}});
}

static void run_cmul(struct op *op) {
  struct rat u;
  while (asked(op->out[0]) && get(op->in[0], &u) &&
         give(op->out[0], rat_mul(op->c, u)))
    ;
}

static series cmul(struct rat c, series u) {
  return made_by((struct op){run_cmul, .in = {u}, .c = c});
}

static void run_diff(struct op *op) {
  struct rat u;
  bool going = asked(op->out[0]) && get(op->in[0], &u); /* goes to 0 */
  for (int n = 1; going; n++)
    going = get(op->in[0], &u) && give(op->out[0], rat_mul(rat(n, 1), u)) &&
            asked(op->out[0]);
}

static series diff(series u) {
  return made_by((struct op){run_diff, .in = {u}});
}

static void run_integ(struct op *op) {
  struct rat u;
  bool going = put(op->out[0], op->c);
  for (int n = 1; going; n++)
    going = asked(op->out[0]) && get(op->in[0], &u) &&
            give(op->out[0], rat_mul(rat(1, n), u));
}

/* The integral of u with the constant c. */
static series integ(struct rat c, series u) {
  return made_by((struct op){run_integ, .in = {u}, .c = c});
}

static void run_subst(struct op *op) {
  struct rat u, power = one;
  while (asked(op->out[0]) && get(op->in[0], &u) &&
         give(op->out[0], rat_mul(power, u))) {
    power = rat_mul(power, op->c);
    for (int i = 1; i < op->n; i++)
      if (!put(op->out[0], zero))
        return;
  }
}

/* u(c x^n) */
static series subst(series u, struct rat c, int n) {
  return made_by((struct op){run_subst, .in = {u}, .c = c, .n = n});
}

/* Two readers of one series, which may be any number of terms apart. */
struct reader {
  series to;
  bool waits;
  int next; /* the term that it wants, or will */
};

static bool serve(struct reader *r, const struct rat *terms, int have) {
  if (!r->waits || r->next == have)
    return true;
  r->waits = false;
  return give(r->to, terms[r->next++]);
}

/* Always ready for both readers: one may have to get terms for the other's
   answer to be found. An arm that is not wanted now has the channel NULL. */
static void run_split(struct op *op) {
  struct reader a = {.to = op->out[0]}, b = {.to = op->out[1]};
  struct rat terms[MAX_TERMS];
  int have = 0;
  bool waits = false; /* for the input's answer */
  while (have < MAX_TERMS && serve(&a, terms, have) && serve(&b, terms, have)) {
    bool wants = (a.waits || b.waits) && !waits;
    switch (gch_select(GCH_RECV(a.waits ? NULL : a.to.req, NULL),
                       GCH_RECV(b.waits ? NULL : b.to.req, NULL),
                       GCH_SEND(wants ? op->in[0].req : NULL, NULL),
                       GCH_RECV(waits ? op->in[0].dat : NULL, &terms[have]),
                       GCH_RECV(gch_ctx_done(world), NULL))) {
    case 0:
      a.waits = true;
      break;
    case 1:
      b.waits = true;
      break;
    case 2:
      waits = true;
      break;
    case 3:
      waits = false;
      have++;
      break;
    default:
      return;
    }
  }
}

static void split(series u, const series out[2]) {
  op_start((struct op){run_split, .in = {u}, .out = {out[0], out[1]}});
}

static series mul(series u, series v);

/* (u + x U) (v + x V) = u v + x (u V + v U) + x^2 U V */
static void run_mul(struct op *op) {
  series z = op->out[0];
  struct rat u, v, term;
  if (!asked(z) || !get(op->in[0], &u) || !get(op->in[1], &v) ||
      !give(z, rat_mul(u, v)))
    return;
  series uu[2] = {series_new(), series_new()};
  series vv[2] = {series_new(), series_new()};
  split(series_take(&op->in[0]), uu);
  split(series_take(&op->in[1]), vv);
  series w = add(cmul(u, vv[0]), cmul(v, uu[0]));
  bool going = asked(z) && get(w, &term) && give(z, term);
  series rest = add(w, mul(uu[1], vv[1]));
  while (going)
    going = asked(z) && get(rest, &term) && give(z, term);
  series_unref(rest);
}

static series mul(series u, series v) {
  return made_by((struct op){run_mul, .in = {u, v}});
}

static series ones(void) {
  return constant(one);
}

/* z = exp u, so z' = z u', and z is the integral of that, from 1: as in Go the
   constant term of u is taken to be 0. */
static series exp_ones(void) {
  series z[2] = {series_new(), series_new()};
  split(integ(one, mul(series_ref(z[0]), diff(ones()))), z);
  series_unref(z[0]);
  return z[1];
}

/* The integral of 1 / (1 + x^2) */
static series arctan(void) {
  return integ(zero, subst(ones(), rat(-1, 1), 2));
}

static series diff_ones(void) {
  return diff(ones());
}

static series mul_ones(void) {
  return mul(ones(), ones());
}

static int show(const char *name, series (*make)(void)) {
  world = gch_ctx_with_cancel(gch_ctx_background());
  if (!world)
    return fail("gch_ctx_with_cancel", errno);

  series s = make();
  struct rat term;
  int n = 0;
  printf("%s:", name);
  for (; n < TERMS && get(s, &term); n++)
    if (term.den == 1)
      printf(" %lld", (long long)term.num);
    else
      printf(" %lld/%lld", (long long)term.num, (long long)term.den);
  putchar('\n');

  gch_ctx_cancel(world);
  gch_wg_wait(&tasks);
  int cause = gch_ctx_cause(world);
  series_unref(s);
  gch_ctx_end(world);
  return n < TERMS ? fail(name, cause) : 0;
}

GCH_MAIN(argc, argv) {
  int status = show("Exp(Ones)", exp_ones);
  if (status == 0)
    status = show("Arctan", arctan);
  if (status == 0)
    status = show("Diff(Ones)", diff_ones);
  if (status == 0)
    status = show("Mul(Ones, Ones)", mul_ones);
  return status;
}
