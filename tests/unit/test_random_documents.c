/* test_random_documents.c: what holds for every document, tried on random
 * ones: it is the model, whatever way it is written. */
#include "epi/area.h"
#include "support/model_text.h"
#include "support/random_document.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
  DOCUMENTS = 3000,
  SIZE = 1 << 16,
};

static epi_model *read_exact(const char *text, size_t len) {
  char *exact = malloc(len ? len : 1);
  epi_model *model;

  cr_assert(exact);
  memcpy(exact, text, len);
  cr_assert_eq(epi_model_read(&model, NULL, exact, len), 0, "%s\n%s",
               epi_error_detail(), text);
  free(exact);
  return model;
}

Test(random_documents, document_to_model_to_document_is_the_identity) {
  static char text[SIZE];

  for (int round = 0; round < DOCUMENTS; round++) {
    epi_model *model;
    char *again;

    document_new();
    model = read_exact(text, document_put(text, sizeof text, 1));
    cr_assert_eq(epi_model_write(model, &again), 0);
    cr_assert_str_eq(again, text);
    epi_free(again);
    epi_model_free(model);
  }
}

Test(random_documents, white_space_and_the_order_of_keys_mean_nothing) {
  static char text[SIZE], mixed[SIZE];

  for (int round = 0; round < DOCUMENTS; round++) {
    epi_model *model, *other;

    document_new();
    model = read_exact(text, document_put(text, sizeof text, 1));
    other = read_exact(mixed, document_put(mixed, sizeof mixed, 0));
    cr_assert_str_eq(epi_model_hash(model), epi_model_hash(other), "%s\n%s",
                     text, mixed);
    epi_model_free(other);
    epi_model_free(model);
  }
}
