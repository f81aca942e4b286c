/* fuzz_expect.c: documents of expectations about a model. */
#include "epi/review.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static epi_model *hospitals(void) {
  static const char text[] =
      "{\"epi\":1,\"nodes\":{\"a\":{\"addresses\":[\"10.0.0.0/8\"],"
      "\"attributes\":[\"x\"]},\"b\":{\"addresses\":[\"b.example\"]}},"
      "\"functions\":{\"f\":{\"provides\":[\"x\"],\"filter\":\"f\"}},"
      "\"applications\":{\"p\":{\"nodes\":[\"a\",\"b\"]}},\"policy\":{"
      "\"rules\":[{\"id\":\"r\",\"effect\":\"allow\",\"from\":[\"10.1.0.0/"
      "16\"],"
      "\"user\":[\"u\",\"v\"],\"time\":{\"from\":\"08:00\"}},{\"id\":\"s\","
      "\"effect\":\"allow\",\"application\":[\"p\"],\"ports\":[1,2]}]}}";
  epi_model *model;

  if (epi_model_read(&model, NULL, text, sizeof text - 1)) {
    abort();
  }
  return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static epi_model *model;
  epi_report *problems;
  char *text = NULL;
  ptrdiff_t failures;

  if (!model) {
    model = hospitals();
  }
  if (epi_report_new(&problems)) {
    return 0;
  }
  failures = epi_model_assert(model, problems, data, len, EPI_FORM_TEXT, &text);
  if ((failures < 0) != (epi_report_count(problems) > 0) ||
      (failures > 0) != (text && *text)) {
    abort(); /* a document is refused, and an expectation fails, for a reason */
  }
  epi_free(text);
  epi_report_free(problems);
  return 0;
}
