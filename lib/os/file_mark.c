/* file_mark.c: has a file changed? */
#include "os/os.h"

#include <string.h>
#include <sys/stat.h>

void epi__file_mark_take(epi__file_mark *out, const char *path) {
  struct stat info;

  memset(out, 0, sizeof *out);
  if (!stat(path, &info)) {
    out->device = (int64_t)info.st_dev;
    out->number = (int64_t)info.st_ino;
    out->size = (int64_t)info.st_size;
    out->seconds = (int64_t)info.st_mtim.tv_sec;
    out->nanoseconds = (int64_t)info.st_mtim.tv_nsec;
  }
}

int epi__file_mark_equal(const epi__file_mark *a, const epi__file_mark *b) {
  return a->device == b->device && a->number == b->number &&
         a->size == b->size && a->seconds == b->seconds &&
         a->nanoseconds == b->nanoseconds;
}
