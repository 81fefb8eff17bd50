/* SPDX-License-Identifier: BSD-3-Clause */
/* GULCH_DEADLOCK: which programs are ended, and that no other is. */
#define _GNU_SOURCE
#define TEST_AS_IS /* it counts threads and tasks */
#include "ahead.h"
#include "deadlock_scenes.h"

#define WORDS "fatal error: all goroutines are asleep - deadlock!\n\n"

/* ThreadSanitizer has a thread of its own, which the library can't tell from
   the program's; the emulator's /proc counts no threads. */
static bool can_tell(void) {
#if defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return false;
#endif
#endif
  return getenv("GULCH_TEST_EMULATOR") == NULL;
}

/* The stage */

gch_chan *scene_over;

static void receive_named(void) {
  gch_set_name(scene_over, "never");
  gch_recv(scene_over, NULL);
}

static void print_and_receive(void) {
  printf("printed before\n");
  gch_recv(scene_over, NULL);
}

static void leave(int sig) {
  (void)sig;
  _exit(0);
}

static void receive_until_killed(void) {
  signal(SIGALRM, leave);
  alarm(1);
  gch_recv(scene_over, NULL);
}

static const struct scene others[] = {
    {"named", receive_named, NULL},
    {"printed", print_and_receive, NULL},
    {"killed", receive_until_killed, NULL},
};

static void play_among(const struct scene *scenes, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (strcmp(scenes[i].name, name) == 0) {
      scene_over = gch_make_of(int, 0);
      scenes[i].play();
      _exit(0); /* it leaves things as they are: no leak of gulch's */
    }
}

/* The scene's name is "ends", "goes_on" or "other", ':', and a name there. */
static void play_if_asked(void) {
  const char *list = scene_to_play();
  if (!list)
    return;
  const char *name = list + strcspn(list, ":") + 1;
  if (*list == 'e')
    play_among(ends, NUM_ENDS, name);
  else if (*list == 'g')
    play_among(goes_on, NUM_GOES_ON, name);
  else
    play_among(others, 3, name);
  _exit(126);
}

/* The audience */

static int play(const char *scene, const char *deadlock,
                char text[SCENE_TEXT]) {
  return play_scene(scene, "GULCH_DEADLOCK", deadlock, text);
}

static void expect_deadlock_and(const char *scene, const char *part) {
  static char text[SCENE_TEXT];
  if (!can_tell())
    return;
  ck_assert_msg(play(scene, "1", text) == 2, "%s: %s", scene, text);
  ck_assert_msg(strncmp(text, WORDS, sizeof WORDS - 1) == 0, "%s", text);
  ck_assert_msg(strstr(text, part), "%s: no \"%s\" in %s", scene, part, text);
}

START_TEST(a_process_asleep_for_good_is_ended) {
  char scene[64];
  snprintf(scene, sizeof scene, "ends:%s", ends[_i].name);
  expect_deadlock_and(scene, ends[_i].says);
}
END_TEST

/* Those that take a while are started ahead. */
struct played {
  int status;
  char text[SCENE_TEXT];
};

static void see_played(void *scene, void *played) {
  const char *const *s = scene; /* and GULCH_DEADLOCK */
  struct played *p = played;
  p->status = play_to_end(s[0], "GULCH_DEADLOCK", s[1], p->text);
}

static int play_ahead(const char *scene, const char *deadlock) {
  const char *both[] = {scene, deadlock};
  return start_ahead(see_played, both, sizeof(struct played));
}

static void expect_played(int ahead) {
  static struct played p;
  read_ahead(ahead, &p, sizeof p);
  ck_assert_msg(p.status == 0, "%#x: %s", (unsigned)p.status, p.text);
  ck_assert_str_eq(p.text, "");
}

static int going_on[NUM_GOES_ON], unasked[3];

static void play_all_ahead(void) {
  static const char *const values[] = {NULL, "", "0"};
  for (int i = 0; i < NUM_GOES_ON; i++) {
    char scene[64];
    snprintf(scene, sizeof scene, "goes_on:%s", goes_on[i].name);
    going_on[i] = play_ahead(scene, "1");
  }
  for (int i = 0; i < 3; i++)
    unasked[i] = play_ahead("other:killed", values[i]);
}

START_TEST(a_process_that_something_can_wake_is_not) {
  expect_played(going_on[_i]);
}
END_TEST

START_TEST(the_report_is_a_dump) {
  expect_deadlock_and("other:named",
                      "\"never\": 4 bytes, 0/0, open\n  receive: ");
  expect_deadlock_and("other:named", "\ngulch: asleep: threads 1, tasks 0\n");
}
END_TEST

/* Which of the two comes first is for the C library. */
START_TEST(what_was_printed_before_is_not_lost) {
  static char text[SCENE_TEXT];
  if (!can_tell())
    return;
  ck_assert_int_eq(play("other:printed", "1", text), 2);
  ck_assert_ptr_nonnull(strstr(text, "printed before\n"));
  ck_assert_ptr_nonnull(strstr(text, WORDS));
}
END_TEST

START_TEST(nothing_is_ended_unasked) {
  for (int i = 0; i < 3; i++)
    expect_played(unasked[i]);
}
END_TEST

Suite *test_suite(void) {
  play_if_asked();
  play_all_ahead();
  Suite *s = suite_create("deadlock");
  TCase *t = test_case(s, "deadlock");
  tcase_add_loop_test(t, a_process_asleep_for_good_is_ended, 0, NUM_ENDS);
  tcase_add_loop_test(t, a_process_that_something_can_wake_is_not, 0,
                      NUM_GOES_ON);
  tcase_add_test(t, the_report_is_a_dump);
  tcase_add_test(t, what_was_printed_before_is_not_lost);
  tcase_add_test(t, nothing_is_ended_unasked);
  return s;
}
