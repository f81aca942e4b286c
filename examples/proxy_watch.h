/* proxy_watch.h: files that may change while epi-proxy runs. */
#ifndef PROXY_WATCH_H
#define PROXY_WATCH_H

#include <sys/stat.h>

/* A file, and how it was when it was read last. */
typedef struct watch {
  const char *path; /* NULL: none */
  struct stat seen, last;
} watch;

/* Watch a file from now on. */
void watch_begin(watch *file, const char *path);

/* Have SIGIO sent whenever something changes in the files' folders; without
 * that they are only looked at now and then. */
void watch_folders(const watch *files, int count);

/* SIGIO came: watch_has_changed() may tell at once. */
void watch_took_note(void);

/* Has the file changed since it was read? told is 1 if the kernel said that
 * something did. */
int watch_has_changed(watch *file, int told);

#endif
