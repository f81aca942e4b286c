/* test_record_file.c: lines to a file that nobody waits for. */
#include "engine/record.h"
#include "epi/error.h"
#include "os/os.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char line[] = "{\"event\":\"open\",\"flow\":1}\n";

static epi__record_file *open_at(const char *path) {
  epi__record_file *file = NULL;

  cr_assert_eq(epi__record_file_new(&file, path), 0);
  return file;
}

Test(record_file, keeps_all_lines_in_order_and_appends) {
  char folder[] = "/tmp/epi-record-XXXXXX", path[64], text[32];
  epi__record_file *file;
  struct stat info;
  FILE *in;

  cr_assert(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/log", folder);
  for (int part = 0; part < 2; part++) {
    file = open_at(path);
    for (int i = 0; i < 1000; i++) {
      int len = snprintf(text, sizeof text, "%d\n", part * 1000 + i);

      cr_assert_eq(epi__record_file_put(file, text, (size_t)len), 0);
    }
    cr_expect_eq(epi__record_file_state(file), 0);
    epi__record_file_free(file);
  }
  in = fopen(path, "r");
  for (int i = 0; i < 2000; i++) {
    cr_assert(fgets(text, sizeof text, in));
    cr_assert_eq(atoi(text), i);
  }
  cr_expect_null(fgets(text, sizeof text, in));
  fclose(in);
  cr_assert_eq(stat(path, &info), 0);
  cr_expect_eq(info.st_mode & 0777, 0600);
  unlink(path);
  rmdir(folder);
}

Test(record_file, a_full_disk_is_told_and_what_waits_is_bounded) {
  epi__record_file *file = open_at("/dev/full");
  size_t taken = 0;

  while (!epi__record_file_put(file, line, sizeof line - 1)) {
    taken += sizeof line - 1;
    cr_assert_leq(taken, 4 * EPI__RECORD_WAITING);
  }
  cr_expect_lt(epi__record_file_state(file), 0);
  for (int i = 0; i < 1000 && epi__record_file_state(file) != EPI_ESYS; i++) {
    epi__sleep(20);
  }
  cr_expect_eq(epi__record_file_state(file), EPI_ESYS);
  cr_expect(strstr(epi_error_detail(), "No space"));
  epi__record_file_free(file); /* does not wait for the disk */
}

/* The size of the stacks of threads that are begun from now on. */
static void set_stacks(size_t size) {
  pthread_attr_t how;

  cr_assert_eq(pthread_attr_init(&how), 0);
  cr_assert_eq(pthread_attr_setstacksize(&how, size), 0);
  cr_assert_eq(pthread_setattr_default_np(&how), 0);
  pthread_attr_destroy(&how);
}

Test(record_file, a_thread_that_could_not_begin_is_tried_again) {
  epi__record_file *file = open_at("/dev/null");

  set_stacks((size_t)1 << 60);
  cr_expect_lt(epi__record_file_put(file, line, sizeof line - 1), 0);
  cr_expect_lt(epi__record_file_state(file), 0);
  set_stacks(1024 * 1024);
  cr_expect_eq(epi__record_file_state(file), 0);
  cr_expect_eq(epi__record_file_put(file, line, sizeof line - 1), 0);
  epi__record_file_free(file);
}

Test(record_file, what_is_no_file_is_refused) {
  char folder[] = "/tmp/epi-record-XXXXXX", path[64];
  epi__record_file *file = NULL;

  cr_assert(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/pipe", folder);
  cr_assert_eq(mkfifo(path, 0600), 0);
  cr_expect_eq(epi__record_file_new(&file, path), EPI_ESYS);
  cr_expect_eq(epi__record_file_new(&file, folder), EPI_ESYS);
  unlink(path);
  snprintf(path, sizeof path, "%s/none/log", folder);
  cr_expect_eq(epi__record_file_new(&file, path), EPI_ENOENT);
  rmdir(folder);
}
