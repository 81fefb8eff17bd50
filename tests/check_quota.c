/* SPDX-License-Identifier: BSD-3-Clause */
/* What gch_maxprocs makes of a cgroup's quota. This program's open shows other
   files in /proc/self and /sys/fs/cgroup, and its sched_getaffinity 64
   processors. */
#define _GNU_SOURCE
#define TEST_AS_IS
#undef _FILE_OFFSET_BITS /* with 64 open is another name of open64 */
#undef _TIME_BITS
#include "harness.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CPUS = 64, FILES = 8 };

static struct machine {
  const char *cgroup, *mounts;
  struct {
    const char *path, *text;
  } files[FILES];
} machine;

static const char *text_of(const char *path) {
  if (strcmp(path, "/proc/self/cgroup") == 0)
    return machine.cgroup;
  if (strcmp(path, "/proc/self/mountinfo") == 0)
    return machine.mounts;
  for (int i = 0; i < FILES && machine.files[i].path; i++)
    if (strcmp(path, machine.files[i].path) == 0)
      return machine.files[i].text;
  return NULL;
}

static int open_as(const char *path, int flags, mode_t mode) {
  bool ours = machine.mounts && (strncmp(path, "/proc/self/", 11) == 0 ||
                                 strncmp(path, "/sys/fs/cgroup", 14) == 0 ||
                                 strncmp(path, "/cg", 3) == 0);
  if (!ours)
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  const char *text = text_of(path);
  if (!text) {
    errno = ENOENT;
    return -1;
  }
  int fd = memfd_create("file", 0);
  if (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
    abort();
  return fd;
}

#define OPEN(name)                                                             \
  int name(const char *path, int flags, ...);                                  \
  int name(const char *path, int flags, ...) {                                 \
    va_list ap;                                                                \
    va_start(ap, flags);                                                       \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;      \
    va_end(ap);                                                                \
    return open_as(path, flags, mode);                                         \
  }
#undef open
#undef open64
OPEN(open)
OPEN(open64)

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set) {
  (void)pid;
  memset(set, 0, size);
  for (size_t i = 0; i < CPUS; i++)
    CPU_SET_S(i, size, set);
  return 0;
}

/* Asked once a process: each test has its own. */
static void expect(const struct machine *m, int maxprocs) {
  machine = *m;
  unsetenv("GULCH_MAXPROCS");
  ck_assert_int_eq(gch_maxprocs(0), maxprocs);
}

#define V2_MOUNT                                                               \
  "24 1 0:22 / / rw - ext4 /dev/root rw\n"                                     \
  "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"

static const struct quota {
  const char *text;
  int maxprocs;
} quotas[] = {{"max 100000\n", CPUS},   {"200000 100000\n", 2},
              {"200001 100000\n", 3},   {"10000 100000\n", 2},
              {"100000 100000\n", 2},   {"450000 50000\n", 9},
              {"6400000 100000\n", 64}, {"9900000 100000\n", CPUS},
              {"99999999999999999999 100000\n", CPUS},
              {"300000\n", CPUS},       {"300000 0\n", CPUS},
              {"nonsense\n", CPUS},     {"", CPUS}};

START_TEST(the_quota_is_rounded_up_and_at_least_two) {
  const struct quota *q = &quotas[_i];
  struct machine m = {"0::/\n",
                      V2_MOUNT,
                      {{"/sys/fs/cgroup/cpu.max", q->text}}};
  expect(&m, q->maxprocs);
}
END_TEST

START_TEST(the_smallest_of_all_that_are_above_counts) {
  struct machine m = {"0::/a/b/c\n",
                      V2_MOUNT,
                      {{"/sys/fs/cgroup/a/b/c/cpu.max", "900000 100000\n"},
                       {"/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"},
                       {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"},
                       {"/sys/fs/cgroup/x/cpu.max", "200000 100000\n"}}};
  expect(&m, 3);
}
END_TEST

START_TEST(the_quota_of_the_topmost_counts) {
  struct machine m = {"0::/a/b\n",
                      V2_MOUNT,
                      {{"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                       {"/sys/fs/cgroup/cpu.max", "500000 100000\n"}}};
  expect(&m, 5);
}
END_TEST

#define V1_MOUNT(root)                                                         \
  "31 24 0:27 " root " /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"   \
  "32 24 0:28 " root " /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"   \
  "33 24 0:29 " root " /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:9 - "       \
  "cgroup cgroup rw,cpu,cpuacct\n"
#define V1_AT(folder) "/sys/fs/cgroup/cpu,cpuacct" folder

START_TEST(version_1_has_it_in_two_files) {
  struct machine m = {"7:memory:/m\n5:cpuset:/s\n4:cpu,cpuacct:/a/b\n0::/\n",
                      V1_MOUNT("/"),
                      {{V1_AT("/a/b/cpu.cfs_quota_us"), "-1\n"},
                       {V1_AT("/a/b/cpu.cfs_period_us"), "100000\n"},
                       {V1_AT("/a/cpu.cfs_quota_us"), "250000\n"},
                       {V1_AT("/a/cpu.cfs_period_us"), "50000\n"}}};
  expect(&m, 5);
}
END_TEST

/* As a container sees it that has no namespace of cgroups. */
START_TEST(the_root_of_the_mount_is_taken_off) {
  struct machine m = {"4:cpu,cpuacct:/docker/abc/sub\n",
                      V1_MOUNT("/docker/abc"),
                      {{V1_AT("/sub/cpu.cfs_quota_us"), "800000\n"},
                       {V1_AT("/sub/cpu.cfs_period_us"), "100000\n"},
                       {V1_AT("/cpu.cfs_quota_us"), "400000\n"},
                       {V1_AT("/cpu.cfs_period_us"), "100000\n"}}};
  expect(&m, 4);
}
END_TEST

START_TEST(the_root_of_the_mount_may_be_the_cgroup) {
  struct machine m = {"0::/kube/pod\n",
                      "30 24 0:26 /kube/pod /sys/fs/cgroup rw - cgroup2 c rw\n",
                      {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}};
  expect(&m, 3);
}
END_TEST

START_TEST(a_mount_of_other_cgroups_says_nothing) {
  struct machine m = {"0::/kube/pods\n",
                      "30 24 0:26 /kube/pod /sys/fs/cgroup rw - cgroup2 c rw\n",
                      {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"},
                       {"/sys/fs/cgroup/s/cpu.max", "300000 100000\n"}}};
  expect(&m, CPUS);
}
END_TEST

START_TEST(a_root_above_the_namespace_counts) {
  struct machine m = {"0::/\n",
                      "30 24 0:26 /../.. /sys/fs/cgroup rw - cgroup2 c rw\n",
                      {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}};
  expect(&m, 3);
}
END_TEST

START_TEST(a_cgroup_beside_the_namespace_is_found) {
  struct machine m = {"0::/../b\n",
                      "30 24 0:26 /.. /sys/fs/cgroup rw - cgroup2 c rw\n",
                      {{"/sys/fs/cgroup/b/cpu.max", "300000 100000\n"}}};
  expect(&m, 3);
}
END_TEST

START_TEST(a_mount_point_may_have_spaces) {
  struct machine m = {"0::/a\n",
                      "30 24 0:26 / /cg\\040and\\134more rw - cgroup2 c rw\n",
                      {{"/cg and\\more/a/cpu.max", "300000 100000\n"}}};
  expect(&m, 3);
}
END_TEST

START_TEST(without_files_there_is_no_quota) {
  struct machine m = {NULL, "", {{NULL, NULL}}};
  expect(&m, CPUS);
}
END_TEST

/* Containers have lines of many kilobytes for what their root is made of. */
START_TEST(long_lines_are_passed_over) {
  static char mounts[40000];
  int n =
      snprintf(mounts, sizeof mounts, "20 1 0:20 / / rw - overlay o lower=");
  while (n < 20000)
    n += snprintf(mounts + n, sizeof mounts - (size_t)n, "/var/lib/layer%d:",
                  n);
  snprintf(mounts + n, sizeof mounts - (size_t)n, "\n%s", V2_MOUNT);
  struct machine m = {"0::/\n",
                      mounts,
                      {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}};
  expect(&m, 3);
}
END_TEST

START_TEST(paths_that_are_too_long_are_no_quota) {
  static char cgroup[3000];
  int n = snprintf(cgroup, sizeof cgroup, "0::");
  while (n < 2900)
    n += snprintf(cgroup + n, sizeof cgroup - (size_t)n, "/abcdefgh");
  strcat(cgroup, "\n");
  struct machine m = {cgroup,
                      V2_MOUNT,
                      {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}};
  expect(&m, CPUS);
}
END_TEST

START_TEST(the_environment_goes_before_a_quota) {
  machine = (struct machine){"0::/\n",
                             V2_MOUNT,
                             {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}};
  setenv("GULCH_MAXPROCS", "7", 1);
  ck_assert_int_eq(gch_maxprocs(0), 7);
}
END_TEST

START_TEST(asking_leaves_errno_and_descriptors_alone) {
  struct machine m = {"0::/a/b\n",
                      V2_MOUNT,
                      {{"/sys/fs/cgroup/a/cpu.max", "300000 100000\n"}}};
  int before = dup(0);
  close(before);
  errno = ENOTTY;
  expect(&m, 3);
  ck_assert_int_eq(errno, ENOTTY);
  ck_assert_int_eq(dup(0), before);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("quota");
  TCase *t = test_case(s, "quota");
  tcase_add_loop_test(t, the_quota_is_rounded_up_and_at_least_two, 0,
                      sizeof quotas / sizeof *quotas);
  tcase_add_test(t, the_smallest_of_all_that_are_above_counts);
  tcase_add_test(t, the_quota_of_the_topmost_counts);
  tcase_add_test(t, version_1_has_it_in_two_files);
  tcase_add_test(t, the_root_of_the_mount_is_taken_off);
  tcase_add_test(t, the_root_of_the_mount_may_be_the_cgroup);
  tcase_add_test(t, a_mount_of_other_cgroups_says_nothing);
  tcase_add_test(t, a_root_above_the_namespace_counts);
  tcase_add_test(t, a_cgroup_beside_the_namespace_is_found);
  tcase_add_test(t, a_mount_point_may_have_spaces);
  tcase_add_test(t, without_files_there_is_no_quota);
  tcase_add_test(t, long_lines_are_passed_over);
  tcase_add_test(t, paths_that_are_too_long_are_no_quota);
  tcase_add_test(t, the_environment_goes_before_a_quota);
  tcase_add_test(t, asking_leaves_errno_and_descriptors_alone);
  return s;
}
