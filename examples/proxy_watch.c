/* proxy_watch.c: which files have changed.
 *
 * The kernel tells of changes in a folder: a file that was written, one that
 * took another's place, a symbolic link that leads elsewhere (as Kubernetes
 * swaps the `..data` of a ConfigMap). Network file systems tell nothing, so
 * that the files are looked at now and then all the same. */
#include "proxy_watch.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int events = -1; /* of the kernel; -1: none */

static int is_same(const struct stat *a, const struct stat *b) {
  return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
         a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void watch_begin(watch *file, const char *path) {
  file->path = path;
  if (path && !stat(path, &file->seen)) {
    file->last = file->seen;
  }
}

/* A folder that is watched already stays so. */
static void add_folder_of(const char *path) {
  static const uint32_t what = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR;
  char folder[PATH_MAX];
  char *end;

  if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder) {
    return;
  }
  end = strrchr(folder, '/');
  if (!end) {
    strcpy(folder, ".");
  } else {
    end[end == folder] = '\0';
  }
  inotify_add_watch(events, folder, what);
}

/* Its own folder, where a link may change, and the one that it leads to. */
static void add_folders(const watch *file) {
  char target[PATH_MAX];

  add_folder_of(file->path);
  if (realpath(file->path, target)) {
    add_folder_of(target);
  }
}

void watch_folders(const watch *files, int count) {
  events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  for (int i = 0; i < count && events >= 0; i++) {
    if (files[i].path) {
      add_folders(&files[i]);
    }
  }
  if (events >= 0) {
    fcntl(events, F_SETOWN, getpid());
    fcntl(events, F_SETFL, O_NONBLOCK | O_ASYNC);
  }
}

void watch_took_note(void) {
  char unread[4096];

  while (events >= 0 && read(events, unread, sizeof unread) > 0) {
  }
}

/* A file that is away for a moment, while another takes its place, has not
 * changed. Nor has one, yet, that somebody may still be writing: either the
 * kernel tells that he is through, or it stays as it is for a while. */
int watch_has_changed(watch *file, int told) {
  struct stat now;
  int settled;

  if (!file->path || stat(file->path, &now) || is_same(&now, &file->seen)) {
    return 0;
  }
  settled = told || is_same(&now, &file->last);
  file->last = now;
  if (settled) {
    file->seen = now;
    if (events >= 0) {
      add_folders(file);
    }
  }
  return settled;
}
