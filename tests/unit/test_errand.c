/* test_errand.c: programs are run for their answers, whatever they do. */
#include "engine/errand.h"

#include "base/fail.h"
#include "os/os.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  PATIENCE_MS = 20000, /* for what ends by itself */
  SHORT_MS = 100,
};

typedef struct answer {
  epi__loop *loop;
  int count, result;
  char text[EPI__ERRAND_LINE];
} answer;

static void keep(void *user, int result, const char *text) {
  answer *to = user;

  to->count++;
  to->result = result;
  snprintf(to->text, sizeof to->text, "%s", text);
  epi__loop_stop(to->loop);
}

/* Run a shell script for its answer. */
static answer ask(const char *script, int64_t ms) {
  const char *const arguments[] = {"sh", "-c", script, NULL};
  const char *const settings[] = {"EPI_A=one", "HOME=/nowhere", NULL};
  epi__errand *errand;
  answer got = {.result = 1};

  cr_assert_eq(epi__loop_new(&got.loop), 0);
  if (epi__errand_start(&errand, got.loop, "/bin/sh", arguments, settings, ms,
                        keep, &got)) {
    keep(&got, EPI_ESYS, epi_error_detail());
  } else {
    epi__loop_run(got.loop);
  }
  epi__loop_free(got.loop);
  cr_expect_eq(got.count, 1);
  return got;
}

static void answers(const char *script, int result, const char *text) {
  answer got = ask(script, PATIENCE_MS);

  cr_expect_eq(got.result, result, "%s: %d", script, got.result);
  cr_expect_str_eq(got.text, text, "%s: %s", script, got.text);
}

Test(errand, the_first_line_is_the_answer) {
  answers("echo socks6://h:1; echo more; echo words >&2", 0, "socks6://h:1");
  answers("printf whole", 0, "whole");
  answers("sleep 0.1; echo late", 0, "late");
  answers("true", 0, "");
}

Test(errand, a_failure_says_its_last_words) {
  answers("echo out; echo one >&2; echo two >&2; exit 3", EPI_ESYS, "two");
  answers("echo out; echo last; exit 1", EPI_ESYS, "last");
  answers("exit 7", EPI_ESYS, "it ended with status 7");
  answers("kill -9 $$", EPI_ESYS, "signal 9 ended it");
}

Test(errand, garbage_is_made_printable_and_long_lines_are_cut) {
  answer got;

  answers("printf 'a\\033b\\000c\\n'", 0, "a?b?c");
  got = ask("head -c 5000 /dev/zero | tr '\\0' x", PATIENCE_MS);
  cr_expect_eq(got.result, 0);
  cr_expect_eq(strlen(got.text), EPI__ERRAND_LINE - 1);
  got = ask("head -c 5000 /dev/zero | tr '\\0' x; exit 1", PATIENCE_MS);
  cr_expect_eq(got.result, EPI_ESYS);
  cr_expect_eq(strlen(got.text), EPI__ERRAND_WORDS - 1);
}

Test(errand, what_prints_too_much_is_ended) {
  answer got = ask("while :; do echo flood; echo flood >&2; done", PATIENCE_MS);

  cr_expect_eq(got.result, EPI_ETIMEOUT);
  cr_expect_str_eq(got.text, "it prints too much");
}

Test(errand, what_takes_too_long_is_ended) {
  answer got = ask("echo socks6://h:1; exec sleep 60", SHORT_MS);

  cr_expect_eq(got.result, EPI_ETIMEOUT);
  cr_expect_str_eq(got.text, "it did not end in 100 ms");
  /* Both it and what it waits for ignore the request to end. */
  got = ask("trap '' TERM; sleep 60; true", SHORT_MS);
  cr_expect_eq(got.result, EPI_ETIMEOUT);
}

Test(errand, an_output_that_stays_open_holds_nothing_up) {
  answer got = ask("sleep 60 & echo $!", PATIENCE_MS);

  cr_expect_eq(got.result, 0);
  cr_expect_eq(kill(atoi(got.text), SIGKILL), 0);
}

Test(errand, the_environment_is_this_one_with_the_settings) {
  setenv("EPI_B", "two", 1);
  setenv("EPI_A", "other", 1);
  answers("echo $EPI_A $EPI_B $HOME", 0, "one two /nowhere");
}

Test(errand, a_program_gets_no_other_files_and_all_signals) {
  cr_assert_eq(dup2(1, 50), 50); /* without close-on-exec */
  signal(SIGPIPE, SIG_IGN);
  answers("test -e /proc/$$/fd/50 || echo closed", 0, "closed");
  answers("grep -c -E '^Sig(Blk|Ign):.*0000000$' /proc/self/status", 0, "2");
  close(50);
}

Test(errand, a_lost_status_is_no_success) {
  answer got;

  signal(SIGCHLD, SIG_IGN);
  got = ask("true", PATIENCE_MS);
  cr_expect_eq(got.result, EPI_ESYS);
  cr_expect(strstr(got.text, "SIGCHLD"), "%s", got.text);
}

Test(errand, what_cannot_be_run_is_said) {
  const char *const arguments[] = {"x", NULL};
  epi__errand *errand = NULL;
  epi__loop *loop;

  cr_assert_eq(epi__loop_new(&loop), 0);
  cr_expect_eq(epi__errand_start(&errand, loop, "/nowhere/x", arguments,
                                 arguments + 1, 1, keep, NULL),
               EPI_ESYS);
  cr_expect_str_eq(epi_error_detail(),
                   "cannot run /nowhere/x: No such file or directory");
  epi__loop_free(loop);
}

Test(errand, is_ended_with_its_program) {
  const char *const arguments[] = {"sleep", "60", NULL};
  epi__errand *errand = NULL;
  epi__loop *loop;

  cr_assert_eq(epi__loop_new(&loop), 0);
  for (alloc_fail_start(); alloc_fail_more();) {
    int result = epi__errand_start(&errand, loop, "/bin/sleep", arguments,
                                   arguments + 2, PATIENCE_MS, keep, NULL);

    cr_expect(!result || result == EPI_ENOMEM);
    if (!result) {
      epi__errand_free(errand);
    }
  }
  epi__errand_free(NULL);
  epi__loop_free(loop);
}
