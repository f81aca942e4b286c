/* check_review.c: what epi-check compares and verifies. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int print_diff(epi_model *model, const check_options *opts) {
  epi_model *old;
  ptrdiff_t changes;
  char *text;

  if (read_model(&old, opts->diff)) {
    return BAD_INPUT;
  }
  changes = epi_model_diff(model, old,
                           opts->json ? EPI_FORM_JSON : EPI_FORM_TEXT, &text);
  epi_model_free(old);
  if (changes < 0) {
    return complain("", epi_error_detail());
  }
  print_text(text, opts->json ? "\n" : "");
  return changes ? ANSWER_IS_NO : FINE;
}

/* One byte over EPI_MODEL_MAX is read at most, for the library to refuse. */
char *read_input(const char *path, size_t *len) {
  FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  size_t room = 0, got = 1;
  char *text = NULL;

  for (*len = 0; file && got && *len <= EPI_MODEL_MAX; *len += got) {
    if (*len == room) {
      char *moved = realloc(text, room = room ? room * 2 : 65536);

      if (!moved) {
        break;
      }
      text = moved;
    }
    got = fread(text + *len, 1, room - *len, file);
  }
  if (!file || ferror(file) || !text) {
    complain(path, strerror(errno));
    free(text);
    text = NULL;
  }
  if (file && file != stdin) {
    fclose(file);
  }
  return text;
}

static ptrdiff_t check_expected(epi_model *model, const check_options *opts,
                                const char *json, size_t len, char **text) {
  epi_report *problems = NULL;
  ptrdiff_t failures = epi_report_new(&problems);

  if (!failures) {
    failures =
        epi_model_assert(model, problems, json, len,
                         opts->json ? EPI_FORM_JSON : EPI_FORM_TEXT, text);
  }
  if (failures < 0 && (!problems || !epi_report_count(problems))) {
    complain(opts->expect, epi_error_detail());
  }
  print_problems(problems, opts->expect);
  epi_report_free(problems);
  return failures;
}

int print_failures(epi_model *model, const check_options *opts) {
  ptrdiff_t failures;
  size_t len;
  char *json = read_input(opts->expect, &len), *text;

  if (!json) {
    return BAD_INPUT;
  }
  failures = check_expected(model, opts, json, len, &text);
  free(json);
  if (failures < 0) {
    return BAD_INPUT;
  }
  print_text(text, opts->json ? "\n" : "");
  return failures ? ANSWER_IS_NO : FINE;
}

int print_findings(const epi_model *model, const check_options *opts) {
  char *text;
  ptrdiff_t findings =
      epi_model_lint(model, opts->json ? EPI_FORM_JSON : EPI_FORM_TEXT, &text);

  if (findings < 0) {
    return complain("", epi_error_detail());
  }
  print_text(text, opts->json ? "\n" : "");
  return findings ? ANSWER_IS_NO : FINE;
}
