/* test_system.c: files are read whole, and secrets leave no copy. */
#include "os/os.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  LEN = 20000, /* more than twice what the first block takes */
};

static char path[] = "/tmp/epi-test-XXXXXX";

static void write_file(void) {
  int fd = mkstemp(path);

  cr_assert_geq(fd, 0);
  for (int i = 0; i < LEN; i++) {
    cr_assert_eq(write(fd, "S", 1), 1);
  }
  close(fd);
}

static void remove_file(void) {
  unlink(path);
}

TestSuite(system, .init = write_file, .fini = remove_file);

/* Blocks know their size; one that is let go with a secret in it counts. */
static int leaks;

static void *sized_alloc(size_t size) {
  size_t *block = malloc(size + sizeof(max_align_t));

  if (!block) {
    return NULL;
  }
  *block = size;
  return (char *)block + sizeof(max_align_t);
}

static void checked_release(void *at) {
  char *block = (char *)at - sizeof(max_align_t);
  size_t size = *(size_t *)(void *)block;

  leaks += size && memchr(at, 'S', size) != NULL;
  free(block);
}

static void *moving_resize(void *at, size_t size) {
  size_t old = *(size_t *)(void *)((char *)at - sizeof(max_align_t));
  void *moved = sized_alloc(size);

  if (moved) {
    memcpy(moved, at, old < size ? old : size);
    checked_release(at);
  }
  return moved;
}

Test(system, leaves_no_copy_of_a_secret) {
  char *text;
  size_t len;

  cr_assert_eq(epi_set_allocator(sized_alloc, moving_resize, checked_release),
               0);
  cr_expect_eq(epi__file_read(path, LEN, 1, &text, &len), 0);
  cr_expect(len == LEN && text[LEN - 1] == 'S' && !text[LEN]);
  epi_wipe(text, len);
  epi__free(text);
  cr_expect_eq(epi__file_read(path, LEN - 1, 1, &text, &len), EPI_ELIMIT);
  cr_expect_eq(leaks, 0);
  epi_set_allocator(NULL, NULL, NULL);
}

Test(system, takes_secrets_from_the_environment) {
  char *text = NULL;
  size_t len;

  cr_assert_eq(setenv("EPI_SECRET_A", "from here\n", 1), 0);
  cr_assert_eq(setenv("HOMELY", "not from here", 1), 0);
  cr_assert_eq(epi_secret_read("env:EPI_SECRET_A", &text, &len), 0);
  cr_expect(len == 10 && !strcmp(text, "from here\n"));
  epi_wipe(text, len);
  epi_free(text);
  text = NULL;
  cr_expect_eq(epi__file_read("env:EPI_SECRET_A", 9, 1, &text, &len),
               EPI_ELIMIT);
  cr_assert_eq(setenv("EPI_SECRET_A", "shorter", 1), 0);
  cr_expect_eq(epi__file_read("env:EPI_SECRET_A", 6, 1, &text, &len),
               EPI_ELIMIT);
  cr_expect_eq(len, 10, "it is as before");
  cr_expect_eq(epi_secret_read("env:EPI_SECRET_B", &text, &len), EPI_ENOENT);
  cr_expect_eq(epi_secret_read("env:HOMELY", &text, &len), EPI_EINVAL);
  cr_expect_eq(epi_secret_read("env:", &text, &len), EPI_EINVAL);
  cr_expect_eq(epi_secret_read("", &text, &len), EPI_EINVAL);
  cr_expect_eq(epi_secret_read(NULL, &text, &len), EPI_EINVAL);
  cr_expect_eq(epi_secret_read("/no/such/file", &text, &len), EPI_ENOENT);
  cr_expect_null(text);
  cr_assert_eq(epi__file_read("env:EPI_SECRET_A", LEN, 0, &text, &len),
               EPI_ENOENT, "a file of no secret has that name");
}

Test(system, gives_secrets_to_nobody_that_is_started) {
  size_t count = 0;
  const char **kept;
  int found = 0;

  cr_assert_eq(setenv("EPI_SECRET_A", "secret", 1), 0);
  cr_assert_eq(setenv("EPI_SECRETARY", "no secret", 1), 0);
  kept = epi__environment_without_secrets(2, &count);
  cr_assert_not_null(kept);
  for (size_t i = 0; i < count; i++) {
    cr_expect(strncmp(kept[i], "EPI_SECRET_", 11));
    found += !strcmp(kept[i], "EPI_SECRETARY=no secret");
  }
  cr_expect_eq(found, 1);
  epi__free(kept);
}

Test(system, refuses_secrets_that_everybody_can_read) {
  char *text;
  size_t len;

  cr_assert_eq(chmod(path, 0644), 0);
  cr_expect_eq(epi__file_read(path, LEN, 1, &text, &len), EPI_EPERM);
  cr_assert_eq(epi__file_read(path, LEN, 0, &text, &len), 0);
  cr_expect_eq(len, LEN);
  epi__free(text);
}
