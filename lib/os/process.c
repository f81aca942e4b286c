/* process.c: what this process uses, as /proc has it.
 *
 * Both files stay open: a process that is confined later may not open them. */
#include "os/os.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static DIR *fd_folder;
static int statm = -1;

/* With the lock. What cannot be opened now may be later. */
static void prepare(void) {
  if (!fd_folder) {
    fd_folder = opendir("/proc/self/fd");
  }
  if (statm < 0) {
    statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  }
}

static int64_t count_fds(void) {
  const struct dirent *entry;
  int64_t count = 0;

  if (!fd_folder) {
    return -1;
  }
  rewinddir(fd_folder);
  while ((entry = readdir(fd_folder)) != NULL) {
    count += entry->d_name[0] != '.';
  }
  return count;
}

static void read_memory(epi__usage *out) {
  int64_t page = sysconf(_SC_PAGESIZE), all, resident;
  char text[128];
  ssize_t got = statm < 0 ? -1 : pread(statm, text, sizeof text - 1, 0);

  if (got <= 0) {
    return;
  }
  text[got] = '\0';
  if (sscanf(text, "%" SCNd64 " %" SCNd64, &all, &resident) == 2) {
    out->mapped = all * page;
    out->resident = resident * page;
  }
}

static int64_t us_of(struct timeval time) {
  return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

epi__usage epi__process_usage(void) {
  epi__usage usage = {-1, -1, -1, -1, -1};
  struct rlimit limit;
  struct rusage used;

  pthread_mutex_lock(&lock);
  prepare();
  usage.fds = count_fds();
  read_memory(&usage);
  pthread_mutex_unlock(&lock);
  if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur <= INT64_MAX) {
    usage.fds_most = (int64_t)limit.rlim_cur;
  }
  if (!getrusage(RUSAGE_SELF, &used)) {
    usage.cpu_us = us_of(used.ru_utime) + us_of(used.ru_stime);
  }
  return usage;
}

void epi__process_prepare(void) {
  pthread_mutex_lock(&lock);
  prepare();
  pthread_mutex_unlock(&lock);
}
