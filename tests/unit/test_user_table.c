/* test_user_table.c: users files, and how they are changed. */
#include "engine/user_table.h"

#include "epi/users.h"
#include "os/file_replace.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/epi-users-XXXXXX";
static char path[64], other[64];

static void start(void) {
  cr_assert(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/users", folder);
  snprintf(other, sizeof other, "%s/other", folder);
}

static void done(void) {
  unlink(path);
  unlink(other);
  rmdir(folder);
}

/* Behind start(), for tests that a build without libcrypt cannot pass. */
static void start_hashing(void) {
  if (epi__hash_check("$6$salt$hash") == EPI_ENOTSUP) {
    cr_skip_test("no hashes in this build");
  }
}

TestSuite(user_table, .init = start, .fini = done);

static void write_file(const char *text, mode_t mode) {
  FILE *file = fopen(path, "w");

  cr_assert(file);
  cr_assert_geq(fputs(text, file), 0);
  cr_assert_eq(fclose(file), 0);
  cr_assert_eq(chmod(path, mode), 0);
}

static const char *read_file(void) {
  static char text[4096];
  FILE *file = fopen(path, "r");
  size_t len;

  cr_assert(file);
  len = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[len] = '\0';
  return text;
}

static epi__user_table *table_of(const char *text) {
  epi__user_table *table = NULL;

  write_file(text, 0600);
  cr_assert_eq(epi__user_table_read(&table, path), 0, "%s", epi_error_detail());
  return table;
}

static int is(const epi__user_table *table, const char *user,
              const char *password) {
  ptrdiff_t number = epi__user_table_find(table, user);
  int own;
  const char *hash = epi__user_table_hash(table, number, &own);

  return epi__user_table_is(table, number, password) ||
         (own && epi__hash_fits(hash, password) == 1);
}

Test(user_table, has_passwords_as_they_are) {
  epi__user_table *table = table_of("# who\n\nada:secret\r\nbob:a:b\nc:$5\n");

  cr_expect_eq(epi__user_table_count(table), 3);
  cr_expect_eq(epi__user_table_plain(table), 3);
  cr_expect(is(table, "ada", "secret"));
  cr_expect(is(table, "bob", "a:b"));
  cr_expect(is(table, "c", "$5"));
  cr_expect_not(is(table, "ada", "Secret"));
  cr_expect_not(is(table, "eve", "secret"));
  cr_expect_not(is(table, "eve", ""));
  epi__user_table_free(table);
}

/* Of "secret", by mkpasswd(1). */
Test(user_table, takes_what_others_hashed, .init = start_hashing) {
  epi__user_table *table = table_of(
      "sha:$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/"
      "otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/\n"
      "scrypt:$7$BU..../....L4JvK3uAfsc9lza4VIA0e0$8uBfpxHKvNIQUIQ/"
      "WGjZV8r9tnNMVcFTCTP9ULMrXN5\n"
      "yes:$y$j75$saltsaltsalt$jyf/lxrpdyAIshWRo1x5DRC6KIE7sNRRtjcomR3PgHA\n");

  cr_expect_eq(epi__user_table_plain(table), 0);
  cr_expect(is(table, "sha", "secret"));
  cr_expect(is(table, "scrypt", "secret"));
  cr_expect(is(table, "yes", "secret"));
  cr_expect_not(is(table, "yes", "Secret"));
  cr_expect_not(is(table, "yes", ""));
  cr_expect_not(is(table, "sha", "secre"));
  epi__user_table_free(table);
}

Test(user_table, users_are_put_and_taken_out, .init = start_hashing) {
  epi__user_table *table;

  cr_assert_eq(epi_users_set(path, "ada", "secret"), 0, "%s",
               epi_error_detail());
  cr_assert_eq(epi_users_set(path, "bob", "p:w"), 0);
  cr_assert_eq(epi_users_set(path, "ada", "other"), 0);
  cr_assert_eq(epi__user_table_read(&table, path), 0);
  cr_expect_eq(epi__user_table_count(table), 2);
  cr_expect_eq(epi__user_table_plain(table), 0);
  cr_expect(is(table, "ada", "other"));
  cr_expect(is(table, "bob", "p:w"));
  cr_expect_not(is(table, "ada", "secret"));
  epi__user_table_free(table);
  cr_expect_eq(epi_users_remove(path, "eve"), EPI_ENOENT);
  cr_assert_eq(epi_users_remove(path, "ada"), 0);
  cr_expect_null(strstr(read_file(), "ada"));
  cr_expect(strstr(read_file(), "bob:$y$"));
}

Test(user_table, other_lines_stay_as_they_are, .init = start_hashing) {
  write_file("# first\nadam:x\nada:secret\n\n# ada:\nlast:y", 0640);
  cr_assert_eq(epi_users_remove(path, "ada"), 0);
  cr_expect_str_eq(read_file(), "# first\nadam:x\n\n# ada:\nlast:y\n");
  cr_assert_eq(epi_users_set(path, "adam", "z"), 0);
  cr_expect(!strncmp(read_file(), "# first\nadam:$y$", 16));
  cr_expect(strstr(read_file(), "\n\n# ada:\nlast:y\n"));
}

static unsigned mode_of(const char *file) {
  struct stat info;

  cr_assert_eq(lstat(file, &info), 0);
  return info.st_mode & 07777;
}

Test(user_table, a_file_keeps_its_mode_and_a_link_stays_one,
     .init = start_hashing) {
  struct stat info;

  cr_assert_eq(epi_users_set(path, "ada", "a"), 0);
  cr_expect_eq(mode_of(path), 0600);
  cr_assert_eq(chmod(path, 0640), 0);
  cr_assert_eq(epi_users_set(path, "ada", "b"), 0);
  cr_expect_eq(mode_of(path), 0640);
  cr_assert_eq(symlink(path, other), 0);
  cr_assert_eq(epi_users_set(other, "bob", "c"), 0);
  cr_assert_eq(lstat(other, &info), 0);
  cr_expect(S_ISLNK(info.st_mode));
  cr_expect(strstr(read_file(), "bob:"));
}

Test(user_table, what_nobody_could_log_in_with_is_refused,
     .init = start_hashing) {
  static const char *const users[] = {"", "a:b", "#a", "a\nb", "a\tb"};
  char longest[257];

  memset(longest, 'x', 256);
  longest[256] = '\0';
  for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
    cr_expect_eq(epi_users_set(path, users[i], "x"), EPI_EINVAL, "%s",
                 users[i]);
  }
  cr_expect_eq(epi_users_set(path, longest, "x"), EPI_EINVAL);
  cr_expect_eq(epi_users_set(path, "ada", ""), EPI_EINVAL);
  cr_expect_eq(epi_users_set(path, "ada", longest), EPI_EINVAL);
  cr_expect_eq(epi_users_remove(path, "ada"), EPI_ENOENT, "no file");
  cr_expect_neq(access(path, F_OK), 0);
  write_file("ada:x\n", 0644);
  cr_expect_eq(epi_users_set(path, "ada", "x"), EPI_EPERM);
  cr_expect_str_eq(read_file(), "ada:x\n");
}

Test(user_table, bad_lines_are_named, .init = start_hashing) {
  static const char *const lines[] = {"ada",
                                      ":x",
                                      "ada:",
                                      "a:x\na:y",
                                      "ada:$1$salt$hash",
                                      "ada:$argon2id$v=19",
                                      "ada:$y$nothing at all",
                                      "ada:$6$"};
  epi__user_table *table = NULL;

  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    write_file(lines[i], 0600);
    if (i < 6) {
      cr_expect_eq(epi__user_table_read(&table, path), EPI_EINVAL, "%s",
                   lines[i]);
      cr_expect(strstr(epi_error_detail(), " line "), "%s", epi_error_detail());
    } else if (!epi__user_table_read(&table, path)) {
      cr_expect_not(is(table, "ada", "x"), "%s", lines[i]);
      epi__user_table_free(table);
    }
  }
}

Test(user_table, nobody_takes_as_long_as_somebody, .init = start_hashing) {
  epi__user_table *table;
  const char *hash;
  int own;

  cr_assert_eq(epi_users_set(path, "ada", "x"), 0);
  cr_assert_eq(epi__user_table_read(&table, path), 0);
  hash = epi__user_table_hash(table, -1, &own);
  cr_expect(hash && !own);
  epi__user_table_free(table);
}

Test(user_table, survives_failing_allocations, .init = start_hashing) {
  write_file("ada:secret\nbob:$6$ab$cd\n", 0600);
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__user_table *table = NULL;
    int result = epi__user_table_read(&table, path);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi__user_table_free(table);
  }
}

Test(user_table, a_change_of_the_file_shows) {
  epi__file_stamp seen = {0};

  write_file("ada:secret\n", 0600);
  cr_expect(epi__file_changed(path, &seen));
  cr_expect_not(epi__file_changed(path, &seen));
  cr_assert_eq(epi__file_replace(path, "bob:secret\n", 11), 0);
  cr_expect(epi__file_changed(path, &seen));
  cr_assert_eq(unlink(path), 0);
  cr_expect_not(epi__file_changed(path, &seen), "it may come back");
}
