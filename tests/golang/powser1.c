/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/chan/powser1.go: power series as channels of rational
   coefficients that flow on demand (McIlroy, "Squinting at power series"). The
   first ten terms of each series. */
#include "powser.h"

/* A term of each, requested and received in any order: four arms, each of
   which becomes nil when it has fired. */
static void get2(struct ps in[2], struct rat out[2]) {
  signals req[2] = {in[0].req, in[1].req};
  rats dat[2] = {{NULL}, {NULL}};
  const char request = 0;
  int err;
  for (int n = 4; n > 0; n--) {
    err = 0;
    int i = gch_select(GCH_SEND_ERR(req[0].c, &request, &err),
                       GCH_SEND_ERR(req[1].c, &request, &err),
                       rats_on_recv(dat[0], &out[0]),
                       rats_on_recv(dat[1], &out[1]));
    if (i < 2) {
      dat[i] = in[i].dat;
      req[i].c = NULL;
    } else {
      dat[i - 2].c = NULL;
    }
  }
}

/* The newest generation of a split serves one of two outputs, out[0]; the
   others hold terms that the slower one has not yet asked for. */
static void split(struct op *op) {
  struct ps *out = op->out.out;
  bool both = false;
  int err = 0;
  if (gch_select(GCH_RECV_ERR(out[0].req.c, NULL, &err),
                 GCH_RECV_ERR(op->wait.c, NULL, &err)) == 1) {
    both = true;
    if (gch_select(GCH_RECV_ERR(out[0].req.c, NULL, &err),
                   GCH_RECV_ERR(out[1].req.c, NULL, &err)) == 1) {
      struct ps swap = out[0];
      out[0] = out[1];
      out[1] = swap;
    }
  }
  if (err != 0 || signals_send(op->u.req, 0) != 0)
    return;
  struct op next = *op;
  struct rat r;
  next.wait = new_signals();
  start(next);
  rats_recv(op->u.dat, &r);
  give(out[0], r);
  if (!both)
    signals_recv(op->wait, NULL);
  put_term(out[1], r);
  signals_send(next.wait, 0);
}

static void split_into(struct ps u, struct pair out) {
  signals release = new_signals();
  start((struct op){.fn = split, .u = u, .out = out, .wait = release});
  signals_send(release, 0);
}

static struct pair new_pair(void) {
  return (struct pair){{new_ps(), new_ps()}};
}

static struct pair Split(struct ps u) {
  struct pair out = new_pair();
  split_into(u, out);
  return out;
}

/* The series */

static void copy(struct ps u, struct ps z) {
  while (wanted(z) && give(z, get(u)))
    ;
}

static void repeat(struct op *op) {
  while (put_term(op->z, op->c))
    ;
}

static struct ps Rep(struct rat c) {
  return making((struct op){.fn = repeat, .c = c});
}

static void add_terms(struct op *op) {
  struct rat r[2];
  while (wanted(op->z)) {
    get2((struct ps[]){op->u, op->v}, r);
    if (!ended(r[0]) && !ended(r[1])) {
      give(op->z, add(r[0], r[1]));
      continue;
    }
    give(op->z, ended(r[0]) ? r[1] : r[0]);
    copy(ended(r[0]) ? op->v : op->u, op->z);
  }
}

static struct ps Add(struct ps u, struct ps v) {
  return making((struct op){.fn = add_terms, .u = u, .v = v});
}

static void multiply_terms(struct op *op) {
  struct rat r = one;
  while (!ended(r) && wanted(op->z)) {
    r = get(op->u);
    give(op->z, ended(r) ? r : mul(op->c, r));
  }
}

static struct ps Cmul(struct rat c, struct ps u) {
  return making((struct op){.fn = multiply_terms, .c = c, .u = u});
}

static struct ps Sub(struct ps u, struct ps v) {
  return Add(u, Cmul(neg(one), v));
}

static struct ps Mul(struct ps u, struct ps v);

/* (u + xU)(v + xV) = uv + x(uV + vU) + xxUV */
static void multiply(struct op *op) {
  struct rat r[2];
  if (!wanted(op->z))
    return;
  get2((struct ps[]){op->u, op->v}, r);
  if (ended(r[0]) || ended(r[1])) {
    give(op->z, (struct rat){0, 0});
    return;
  }
  give(op->z, mul(r[0], r[1]));
  struct pair u = Split(op->u), v = Split(op->v);
  struct ps w = Add(Cmul(r[0], v.out[0]), Cmul(r[1], u.out[0]));
  if (wanted(op->z) && give(op->z, get(w)))
    copy(Add(w, Mul(u.out[1], v.out[1])), op->z);
}

static struct ps Mul(struct ps u, struct ps v) {
  return making((struct op){.fn = multiply, .u = u, .v = v});
}

static void differentiate(struct op *op) {
  if (!wanted(op->z))
    return;
  struct rat r = get(op->u);
  for (int i = 1; !ended(r); i++) {
    r = get(op->u);
    if (ended(r) || !give(op->z, mul(ratio(i, 1), r)) || !wanted(op->z))
      break;
  }
  give(op->z, (struct rat){0, 0});
}

static struct ps Diff(struct ps u) {
  return making((struct op){.fn = differentiate, .u = u});
}

static void integrate(struct op *op) {
  if (!put_term(op->z, op->c))
    return;
  for (int i = 1; wanted(op->z); i++) {
    struct rat r = get(op->u);
    if (!give(op->z, ended(r) ? r : mul(ratio(1, i), r)) || ended(r))
      return;
  }
}

static struct ps Integ(struct rat c, struct ps u) {
  return making((struct op){.fn = integrate, .c = c, .u = u});
}

/* Z = exp(U) where DZ = Z DU: a loop of channels. */
static struct ps Exp(struct ps u) {
  struct pair z = new_pair();
  split_into(Integ(one, Mul(z.out[0], Diff(u))), z);
  return z.out[1];
}

/* U(c x^n) */
static void substitute(struct op *op) {
  struct rat c = one;
  while (wanted(op->z)) {
    struct rat r = get(op->u);
    if (!give(op->z, ended(r) ? r : mul(r, c)) || ended(r))
      return;
    c = mul(c, op->c);
    for (int i = 1; i < op->n; i++)
      if (!put_term(op->z, zero))
        return;
  }
}

static struct ps MonSubst(struct ps u, struct rat c, int n) {
  return making((struct op){.fn = substitute, .u = u, .c = c, .n = n});
}

/* The tests */

enum { TERMS = 10 };

static void check_terms(struct ps u, const struct rat want[TERMS]) {
  for (int i = 0; i < TERMS; i++) {
    struct rat r = get(u);
    require(r.num == want[i].num && r.den == want[i].den);
  }
  world_end();
}

/* first, first + step, first + 2 step, … */
static void check_integers(struct ps u, int first, int step) {
  struct rat want[TERMS];
  for (int i = 0; i < TERMS; i++)
    want[i] = ratio(first + i * step, 1);
  check_terms(u, want);
}

static struct ps Ones(void) {
  return Rep(one);
}

static struct ps Twos(void) {
  return Rep(ratio(2, 1));
}

START_TEST(powser1_Ones) {
  check_integers(Ones(), 1, 0);
}
END_TEST

START_TEST(powser1_Add) {
  check_integers(Add(Ones(), Twos()), 3, 0);
}
END_TEST

START_TEST(powser1_Sub) {
  check_integers(Sub(Ones(), Twos()), -1, 0);
}
END_TEST

START_TEST(powser1_CMul) {
  check_integers(Cmul(neg(one), Twos()), -2, 0);
}
END_TEST

START_TEST(powser1_Diff) {
  check_integers(Diff(Ones()), 1, 1);
}
END_TEST

START_TEST(powser1_Integ) {
  struct rat want[TERMS] = {zero};
  for (int i = 1; i < TERMS; i++)
    want[i] = ratio(1, i);
  check_terms(Integ(zero, Ones()), want);
}
END_TEST

START_TEST(powser1_Mul) {
  check_integers(Mul(Ones(), Ones()), 1, 1);
}
END_TEST

START_TEST(powser1_Exp) {
  static const struct rat want[TERMS] = {
      {1, 1},    {1, 1},      {3, 2},        {13, 6},       {73, 24},
      {167, 40}, {4051, 720}, {37633, 5040}, {43817, 4480}, {4596553, 362880},
  };
  check_terms(Exp(Ones()), want);
}
END_TEST

START_TEST(powser1_ATan) {
  struct rat want[TERMS];
  for (int i = 0, c = 1; i < TERMS; i++) {
    want[i] = i % 2 == 0 ? zero : ratio(c, i);
    c = i % 2 == 0 ? c : -c;
  }
  check_terms(Integ(zero, MonSubst(Ones(), neg(one), 2)), want);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/powser1");
  TCase *t = test_case(s, "powser1");
  tcase_add_test(t, powser1_Ones);
  tcase_add_test(t, powser1_Add);
  tcase_add_test(t, powser1_Sub);
  tcase_add_test(t, powser1_CMul);
  tcase_add_test(t, powser1_Diff);
  tcase_add_test(t, powser1_Integ);
  tcase_add_test(t, powser1_Mul);
  tcase_add_test(t, powser1_Exp);
  tcase_add_test(t, powser1_ATan);
  return s;
}
