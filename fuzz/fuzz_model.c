/* fuzz_model.c: model documents, and what a model then says. */
#include "epi/area.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The canonical document is a model with the same canonical document. */
static void check_again(const epi_model *model) {
  char *text, *again;
  epi_model *copy;

  if (epi_model_write(model, &text)) {
    return;
  }
  if (epi_model_read(&copy, NULL, text, strlen(text)) ||
      epi_model_write(copy, &again) || strcmp(text, again)) {
    abort();
  }
  epi_free(again);
  epi_free(text);
  epi_model_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi_report *problems;
  epi_model *model;
  char *text;

  if (epi_report_new(&problems)) {
    return 0;
  }
  if (!epi_model_read(&model, problems, data, len)) {
    if (epi_report_count(problems)) {
      abort();
    }
    check_again(model);
    if (!epi_model_overview(model, &text)) {
      epi_free(text);
    }
    epi_model_free(model);
  } else if (!epi_report_count(problems)) {
    abort(); /* a document is refused for a reason */
  }
  epi_report_free(problems);
  return 0;
}
