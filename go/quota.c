/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The quota of a cgroup. /proc/self/cgroup says which cgroup of a hierarchy the
 * process is in, /proc/self/mountinfo where the hierarchy is mounted and which
 * cgroup is the root there:
 *
 *     0::/a/b                                    cgroup, version 2
 *     5:cpu,cpuacct:/a/b                         version 1
 *     30 24 0:26 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw
 *     31 24 0:27 /a /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
 *
 * Here the process's cgroup is the folder b below the mount point. It, and each
 * above it up to the mount point, may have a quota; the smallest counts. A
 * mount whose root is not at or above the process's cgroup says nothing of it.
 * In a container that has a cgroup namespace, paths are as seen from the
 * namespace's root, and a root of "/.." lies above that: who is between the two
 * is not to be known, so only the mount point's own quota counts.
 *
 * All is read with open and read into buffers on the stack. What can't be read
 * or understood, or is too long, is no quota.
 */
#include "go/quota.h"

#ifdef __linux__
#include "park/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { V1, V2, VERSIONS };
enum { PATH = 512, LINE = 2048 };

struct search {
  char cgroup[VERSIONS][PATH]; /* the process's; "": none */
  char path[2 * PATH];         /* of a folder, and then of a file there */
  int quota;                   /* the smallest so far; 0: none */
};

/* Lines */

struct lines {
  int fd;
  size_t begin, end; /* of what is in buf and not yet given out */
  char buf[LINE];
};

static bool fill(struct lines *l) {
  memmove(l->buf, l->buf + l->begin, l->end - l->begin);
  l->end -= l->begin;
  l->begin = 0;
  ssize_t n;
  do
    n = read(l->fd, l->buf + l->end, sizeof l->buf - l->end);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    l->end += (size_t)n;
  return n > 0;
}

/* The next line, a string that may be written to; NULL: there is none. Of one
   that is too long only parts are seen, and none of those is one of ours. */
static char *next_line(struct lines *l) {
  char *nl;
  while (!(nl = memchr(l->buf + l->begin, '\n', l->end - l->begin))) {
    if (l->end - l->begin == sizeof l->buf)
      l->begin = l->end; /* too long */
    if (!fill(l))
      return NULL;
  }
  char *line = l->buf + l->begin;
  *nl = '\0';
  l->begin = (size_t)(nl + 1 - l->buf);
  return line;
}

static void each_line(const char *path, void (*see)(struct search *, char *),
                      struct search *s) {
  struct lines l = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
  if (l.fd < 0)
    return;
  for (char *line; (line = next_line(&l));)
    see(s, line);
  close(l.fd);
}

/* Whether a list, separated by commas, has the word. */
static bool lists(const char *list, const char *word) {
  size_t n = strlen(word);
  for (const char *at = list; at; at = strchr(at, ',')) {
    at += *at == ',';
    if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
      return true;
  }
  return false;
}

/* The process's cgroups */

static void see_cgroup(struct search *s, char *line) {
  char *controllers = strchr(line, ':');
  char *path = controllers ? strchr(controllers + 1, ':') : NULL;
  if (!path || strlen(path + 1) >= PATH)
    return;
  *path++ = '\0';
  controllers++;
  if (*controllers == '\0')
    strcpy(s->cgroup[V2], path);
  else if (lists(controllers, "cpu"))
    strcpy(s->cgroup[V1], path);
}

/* Quotas */

enum { VALUE = 64 };

/* The first bytes of a file in the folder s->path; "": there are none. */
static const char *read_file(struct search *s, const char *name,
                             char out[VALUE]) {
  size_t n = strlen(s->path);
  ssize_t len = -1;
  if (n + strlen(name) < sizeof s->path) {
    strcpy(s->path + n, name);
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      len = read(fd, out, VALUE - 1);
      close(fd);
    }
    s->path[n] = '\0';
  }
  out[len > 0 ? len : 0] = '\0';
  return out;
}

/* Both in microseconds. */
static void see_quota(struct search *s, long long quota, long long period) {
  if (quota <= 0 || period <= 0)
    return;
  long long n = quota / period + (quota % period != 0);
  if (n <= INT_MAX && (s->quota == 0 || n < s->quota))
    s->quota = (int)n;
}

/* "max" and -1 are no quota. */
static void see_folder(struct search *s, int version) {
  char quota[VALUE], period[VALUE], *rest;
  if (version == V2) {
    long long max = strtoll(read_file(s, "/cpu.max", quota), &rest, 10);
    see_quota(s, max, strtoll(rest, NULL, 10));
  } else {
    read_file(s, "/cpu.cfs_quota_us", quota);
    read_file(s, "/cpu.cfs_period_us", period);
    see_quota(s, strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
  }
}

/* Mounts */

/* "\040" and the like, in place. */
static void unescape(char *s) {
  char *to = s;
  for (; *s; s++) {
    bool octal = s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
                 s[2] <= '7' && s[3] >= '0' && s[3] <= '7';
    if (octal) {
      *to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
      s += 3;
    } else {
      *to++ = *s;
    }
  }
  *to = '\0';
}

static bool only_dots(const char *path) {
  while (strncmp(path, "/..", 3) == 0)
    path += 3;
  return *path == '\0';
}

/* Where a cgroup is below the root of a mount, "" or "/b"; NULL: it is not. */
static const char *below(const char *cgroup, const char *root) {
  size_t n = strlen(root);
  if (n == 1) /* "/" */
    n = 0;
  if (strncmp(cgroup, root, n) == 0 &&
      (cgroup[n] == '/' || cgroup[n] == '\0'))
    return cgroup[n + (cgroup[n] == '/')] ? cgroup + n : "";
  return only_dots(root) ? "" : NULL;
}

static void see_mount(struct search *s, int version, const char *root,
                      const char *at) {
  const char *cgroup = s->cgroup[version];
  const char *rest = *cgroup ? below(cgroup, root) : NULL;
  size_t top = strlen(at);
  if (!rest || top + strlen(rest) >= sizeof s->path)
    return;
  strcat(strcpy(s->path, at), rest);
  for (char *slash;;) {
    see_folder(s, version);
    if (!(slash = strrchr(s->path + top, '/')))
      return;
    *slash = '\0';
  }
}

/* -1: it is of another type. */
static int version_of(const char *type, const char *options) {
  if (strcmp(type, "cgroup2") == 0)
    return V2;
  return strcmp(type, "cgroup") == 0 && lists(options, "cpu") ? V1 : -1;
}

static char *word(char **rest) {
  return strsep(rest, " ");
}

/* id, parent, device, root, mount point, options, more of them, "-", type,
   source, options of the file system */
static void see_mount_line(struct search *s, char *line) {
  char *rest = strstr(line, " - ");
  if (!rest)
    return;
  *rest = '\0';
  rest += 3;
  const char *type = word(&rest);
  word(&rest);
  int version = rest ? version_of(type, rest) : -1;
  for (int i = 0; i < 3; i++)
    word(&line);
  char *root = word(&line), *at = word(&line);
  if (version < 0 || !root || !at)
    return;
  unescape(root);
  unescape(at);
  see_mount(s, version, root, strcmp(at, "/") == 0 ? "" : at);
}

int gch__cpu_quota(void) {
  struct search s = {0};
  int cancel = gch__cancel_off(); /* open and read are points for that */
  each_line("/proc/self/cgroup", see_cgroup, &s);
  each_line("/proc/self/mountinfo", see_mount_line, &s);
  gch__cancel_as(cancel);
  return s.quota;
}
#else
int gch__cpu_quota(void) {
  return 0;
}
#endif
