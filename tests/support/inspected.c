/* inspected.c: data that goes through the filter `inspect`. */
#include "support/inspected.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

epi__queue inspected_out[2];
const char *inspected_words = "";

int inspected_read(const char *path, size_t max, char **text, size_t *len) {
  *len = strlen(inspected_words);
  if (strcmp(path, "words") || *len > max) {
    abort();
  }
  *text = epi__strdup(inspected_words);
  return *text ? 0 : EPI_ENOMEM;
}

epi__filter_chain *inspected_open(const char *args) {
  epi__queue *const queues[2] = {&inspected_out[0], &inspected_out[1]};
  epi__filter_chain *chain = NULL;
  epi_filter *filter = NULL;

  if (epi__inspect_new(&filter, args, inspected_read) ||
      epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL)) {
    fprintf(stderr, "%s: %s\n", args, epi_error_detail());
    abort();
  }
  epi_filter_free(filter);
  return chain;
}

int inspected_feed(epi__filter_chain *chain, int direction, const char *data,
                   size_t len) {
  char *copy = malloc(len);
  int result;

  if (!copy) {
    abort();
  }
  memcpy(copy, data, len);
  result = epi__filter_chain_feed(chain, direction, copy, len);
  free(copy);
  return result;
}

const char *inspected_take(int direction) {
  static char text[4096];
  const uint8_t *data;
  size_t len = epi__queue_peek(&inspected_out[direction], &data);

  if (len >= sizeof text) {
    abort();
  }
  if (len) {
    memcpy(text, data, len);
  }
  text[len] = '\0';
  epi__queue_clear(&inspected_out[direction], 0);
  return text;
}

int inspected_send(const char *args, int direction, const char *data,
                   size_t len, size_t cut, char notes[INSPECTED_NOTES]) {
  epi__filter_chain *chain = inspected_open(args);
  int result = 0;

  for (size_t at = 0; at < len && !result;) {
    size_t part = cut == 0 ? 1 : at < cut ? cut : len - at;

    part = part < len - at ? part : len - at;
    result = inspected_feed(chain, direction, data + at, part);
    at += part;
  }
  if (!result) {
    result = epi__filter_chain_end(chain, direction);
  }
  snprintf(notes, INSPECTED_NOTES, "%s", epi__filter_chain_notes(chain));
  epi__filter_chain_free(chain);
  return result;
}

size_t inspected_let_in(const char *args, const char *data, size_t len,
                        const char *why) {
  size_t wrong = 0;

  for (size_t cut = 0; cut <= len; cut++) {
    char notes[INSPECTED_NOTES];
    int result = inspected_send(args, EPI_FORWARD, data, len, cut, notes);

    if (result != EPI_EDENIED || !strstr(epi_error_detail(), why)) {
      fprintf(stderr, "cut at %zu: %d, %s, wanted: %s\n", cut, result,
              epi_error_detail(), why);
      wrong++;
    }
    epi__queue_clear(&inspected_out[EPI_FORWARD], 0);
  }
  return wrong;
}
