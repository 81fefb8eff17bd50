/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/typed.h>: channels whose element type the compiler checks, and Go's
 * directional channel types.
 *
 *     GCH_CHAN_TYPE(jobs, struct job)      // at file scope, no semicolon
 *
 *     jobs c = jobs_make(8);               // c := make(chan job, 8)
 *     jobs_send(c, (struct job){1, 2});    // c <- job{1, 2}
 *     jobs_receiver r = jobs_to_receiver(c);   // var r <-chan job = c
 *     while (jobs_receiver_recv(r, &j) == 0)   // for j := range r
 *       …
 *
 * A typed channel is a struct that holds the plain one, as its member c: null
 * where jobs_make failed, with errno set. Each function does what the plain one
 * of that name does. The directional types borrow: they hold no reference.
 *
 * Values go through a channel as bytes. So in C++ the element type must be
 * trivially copyable (of a std::string send a pointer); and in both languages
 * it is neither an array (which may stand in a struct) nor const. The compiler
 * says so.
 */
#ifndef GULCH_TYPED_H
#define GULCH_TYPED_H

#include <gulch/ctx.h>
#include <gulch/select.h>

#define GCH_TYPED_FN GCH_UNUSED static inline

/* What an element's type must be. */
#define GCH_TYPED_WORDS                                                        \
  "gulch: the element type of a channel must be neither an array (put it into" \
  " a struct) nor const: values are copied in and out"
#ifdef __cplusplus
extern "C++" {
template <class T> struct gch_is_array_or_const {
  static const bool value = false;
};
template <class T> struct gch_is_array_or_const<const T> {
  static const bool value = true;
};
template <class T, size_t N> struct gch_is_array_or_const<T[N]> {
  static const bool value = true;
};
template <class T, size_t N> struct gch_is_array_or_const<const T[N]> {
  static const bool value = true;
};
}
#define GCH_TYPED_CHECK(T)                                                     \
  static_assert(__is_trivially_copyable(T),                                    \
                "gulch: the element type of a channel must be trivially "      \
                "copyable: values go through it as bytes");                    \
  static_assert(!gch_is_array_or_const<T>::value, GCH_TYPED_WORDS);
#else
/* A value of an array type or a qualified one has another type. */
#define GCH_TYPED_CHECK(T)                                                     \
  _Static_assert(_Generic(*(T *)0, T : 1, default : 0), GCH_TYPED_WORDS);
#endif

/* What one can do with the sending end, and with the receiving end. */
#define GCH_TYPED_SEND(name, T)                                                \
  GCH_TYPED_FN int name##_send(name ch, T v) {                                 \
    return gch_send(ch.c, &v);                                                 \
  }                                                                            \
  GCH_TYPED_FN int name##_try_send(name ch, T v) {                             \
    return gch_try_send(ch.c, &v);                                             \
  }                                                                            \
  GCH_TYPED_FN int name##_send_until(name ch, T v, int64_t deadline) {         \
    return gch_send_until(ch.c, &v, deadline);                                 \
  }                                                                            \
  GCH_TYPED_FN int name##_send_ctx(const gch_ctx *ctx, name ch, T v) {         \
    return gch_send_ctx(ctx, ch.c, &v);                                        \
  }                                                                            \
  GCH_TYPED_FN int name##_send_many(name ch, T const *elems, size_t count,     \
                                    size_t *n) {                               \
    return gch_send_many(ch.c, elems, count, n);                               \
  }                                                                            \
  GCH_TYPED_FN gch_case name##_on_send(name ch, T const *v) {                  \
    return GCH_SEND(ch.c, v);                                                  \
  }                                                                            \
  GCH_TYPED_FN gch_case name##_on_send_err(name ch, T const *v, int *err) {    \
    return GCH_SEND_ERR(ch.c, v, err);                                         \
  }                                                                            \
  GCH_TYPED_FN int name##_close(name ch) {                                     \
    return gch_close(ch.c);                                                    \
  }

#define GCH_TYPED_RECV(name, T)                                                \
  GCH_TYPED_FN int name##_recv(name ch, T *v) {                                \
    return gch_recv(ch.c, v);                                                  \
  }                                                                            \
  GCH_TYPED_FN int name##_try_recv(name ch, T *v) {                            \
    return gch_try_recv(ch.c, v);                                              \
  }                                                                            \
  GCH_TYPED_FN int name##_recv_until(name ch, T *v, int64_t deadline) {        \
    return gch_recv_until(ch.c, v, deadline);                                  \
  }                                                                            \
  GCH_TYPED_FN int name##_recv_ctx(const gch_ctx *ctx, name ch, T *v) {        \
    return gch_recv_ctx(ctx, ch.c, v);                                         \
  }                                                                            \
  GCH_TYPED_FN int name##_recv_many(name ch, T *elems, size_t max,             \
                                    size_t *n) {                               \
    return gch_recv_many(ch.c, elems, max, n);                                 \
  }                                                                            \
  GCH_TYPED_FN gch_case name##_on_recv(name ch, T *v) {                        \
    return GCH_RECV(ch.c, v);                                                  \
  }                                                                            \
  GCH_TYPED_FN gch_case name##_on_recv_err(name ch, T *v, int *err) {          \
    return GCH_RECV_ERR(ch.c, v, err);                                         \
  }

#define GCH_TYPED_ASK(name)                                                    \
  GCH_TYPED_FN size_t name##_len(name ch) {                                    \
    return gch_len(ch.c);                                                      \
  }                                                                            \
  GCH_TYPED_FN size_t name##_cap(name ch) {                                    \
    return gch_cap(ch.c);                                                      \
  }

#define GCH_CHAN_TYPE(name, T)                                                 \
  GCH_TYPED_CHECK(T)                                                           \
  typedef struct {                                                             \
    gch_chan *c;                                                               \
  } name;                                                                      \
  typedef struct {                                                             \
    gch_chan *c;                                                               \
  } name##_sender;                                                             \
  typedef struct {                                                             \
    gch_chan *c;                                                               \
  } name##_receiver;                                                           \
  GCH_TYPED_FN name name##_make(size_t cap) {                                  \
    name ch = {gch_make(sizeof(T), cap)};                                      \
    return ch;                                                                 \
  }                                                                            \
  GCH_TYPED_FN name name##_ref(name ch) {                                      \
    gch_ref(ch.c);                                                             \
    return ch;                                                                 \
  }                                                                            \
  GCH_TYPED_FN void name##_unref(name ch) {                                    \
    gch_unref(ch.c);                                                           \
  }                                                                            \
  GCH_TYPED_FN void name##_set_name(name ch, const char *text) {               \
    gch_set_name(ch.c, text);                                                  \
  }                                                                            \
  GCH_TYPED_FN int name##_set_drop(name ch, void (*drop)(void *elem)) {        \
    return gch_set_drop(ch.c, drop);                                           \
  }                                                                            \
  GCH_TYPED_FN name##_sender name##_to_sender(name ch) {                       \
    name##_sender s = {ch.c};                                                  \
    return s;                                                                  \
  }                                                                            \
  GCH_TYPED_FN name##_receiver name##_to_receiver(name ch) {                   \
    name##_receiver r = {ch.c};                                                \
    return r;                                                                  \
  }                                                                            \
  GCH_TYPED_SEND(name, T)                                                      \
  GCH_TYPED_RECV(name, T)                                                      \
  GCH_TYPED_ASK(name)                                                          \
  GCH_TYPED_SEND(name##_sender, T)                                             \
  GCH_TYPED_ASK(name##_sender)                                                 \
  GCH_TYPED_RECV(name##_receiver, T)                                           \
  GCH_TYPED_ASK(name##_receiver)

#endif
