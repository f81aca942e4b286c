/* model_values.c: strings, numbers, references and lists of them. */
#include "area/model_reader.h"

#include "base/memory.h"
#include "base/net.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *epi__read_string(epi__model_reader *in, const epi__json *value) {
  const char *text;
  size_t len;

  if (!value) {
    return NULL;
  }
  if (epi__json_type(value) != EPI__JSON_STRING) {
    epi__problem(in, "must be a string, not %s",
                 epi__json_type_name(epi__json_type(value)));
    return NULL;
  }
  text = epi__json_string(value);
  len = strlen(text);
  if (!len) {
    epi__problem(in, "is empty");
    return NULL;
  }
  if (len > EPI__TEXT_MAX) {
    epi__problem(in, "has %zu bytes, more than %d", len, EPI__TEXT_MAX);
    return NULL;
  }
  for (size_t i = 0; i < len; i++) { /* it may be shown on a terminal */
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
      epi__problem(in, "has a control character");
      return NULL;
    }
  }
  return text;
}

char *epi__read_copy(epi__model_reader *in, const epi__json *value) {
  const char *text = epi__read_string(in, value);
  char *copy = text ? epi__strdup(text) : NULL;

  in->failed |= text && !copy;
  return copy;
}

int64_t epi__read_whole(epi__model_reader *in, const epi__json *value,
                        int64_t low, int64_t high) {
  double number;

  if (epi__json_type(value) != EPI__JSON_NUMBER) {
    epi__problem(in, "must be a number, not %s",
                 epi__json_type_name(epi__json_type(value)));
    return low - 1;
  }
  number = epi__json_number(value);
  if (!(number >= (double)low && number <= (double)high) ||
      floor(number) != number) {
    epi__problem(in, "must be a whole number from %" PRId64 " to %" PRId64, low,
                 high);
    return low - 1;
  }
  return (int64_t)number;
}

uint32_t epi__number_of(epi__model_reader *in, epi__names *names,
                        const char *text) {
  ptrdiff_t number = epi__names_add(names, text);

  if (number < 0) {
    in->failed = 1;
    return EPI__NONE;
  }
  return (uint32_t)number;
}

uint32_t epi__read_reference(epi__model_reader *in, const epi__json *value,
                             const char *what, const epi__names *names) {
  const char *text = epi__read_string(in, value);
  ptrdiff_t number;

  if (!text) {
    return EPI__NONE;
  }
  number = epi__names_find(names, text);
  if (number < 0) {
    epi__problem_no(in, what, text, names);
    return EPI__NONE;
  }
  return (uint32_t)number;
}

int epi__too_long(epi__model_reader *in, const epi__json *list, size_t max) {
  const epi__json *item = epi__json_first(list);
  size_t count = 0;

  for (; item && count <= max; item = epi__json_next(item)) {
    count++;
  }
  if (count > max) {
    epi__problem(in, "has more than %zu values", max);
  }
  return count > max;
}

void epi__check_filled(epi__model_reader *in, const epi__json *list) {
  if (list && !epi__json_first(list)) {
    epi__problem(in, "is empty");
  }
}

/* Takes what an element means into the list, once. seen has a bit for each
 * number, or is NULL and then the list itself is searched. */
static void take(epi__model_reader *in, uint32_t number, uint64_t *seen,
                 epi__list *out) {
  if (number == EPI__NONE) {
    return;
  }
  if (seen ? epi__set_has(seen, number) : epi__list_has(out, number)) {
    epi__problem(in, "is there twice");
    return;
  }
  if (seen) {
    epi__set_add(seen, number);
  }
  if (epi__list_add(out, number)) {
    in->failed = 1;
  }
}

void epi__read_references(epi__model_reader *in, const epi__json *list,
                          const char *what, const epi__names *names, size_t max,
                          epi__list *out) {
  const epi__json *item;
  uint64_t *seen;
  size_t i = 0;

  if (!list || epi__too_long(in, list, max)) {
    return;
  }
  seen = epi__alloc_array(epi__set_words(names->count), sizeof *seen);
  if (!seen) {
    in->failed = 1;
    return;
  }
  for (item = epi__json_first(list); item; item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);

    take(in, epi__read_reference(in, item, what, names), seen, out);
    epi__path_back(in, back);
  }
  epi__free(seen);
}

uint32_t epi__read_term(epi__model_reader *in, const epi__json *value) {
  const char *text = epi__read_string(in, value);

  if (!text || !epi__check_name(in, text)) {
    return EPI__NONE;
  }
  return epi__number_of(in, &in->model->terms, text);
}

void epi__read_terms(epi__model_reader *in, const epi__json *list,
                     epi__list *out) {
  const epi__json *item;
  size_t i = 0;

  if (!list || epi__too_long(in, list, EPI__VALUES_MAX)) {
    return;
  }
  for (item = epi__json_first(list); item; item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);

    take(in, epi__read_term(in, item), NULL, out);
    epi__path_back(in, back);
  }
}

void epi__read_ports(epi__model_reader *in, const epi__json *list,
                     epi__list *out) {
  const epi__json *item;
  size_t i = 0;

  if (!list || epi__too_long(in, list, EPI__VALUES_MAX)) {
    return;
  }
  epi__check_filled(in, list);
  for (item = epi__json_first(list); item; item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);
    int port = (int)epi__read_whole(in, item, 1, 65535);

    take(in, port ? (uint32_t)port : EPI__NONE, NULL, out);
    epi__path_back(in, back);
  }
}

void epi__read_attributes(epi__model_reader *in, const epi__json *list,
                          uint64_t *set) {
  const epi__json *item;
  size_t i = 0;

  if (!list || epi__too_long(in, list, EPI__ATTRIBUTES_MAX)) {
    return;
  }
  for (item = epi__json_first(list); item; item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);
    uint32_t number =
        epi__read_reference(in, item, "attribute", &in->model->attributes);

    if (number != EPI__NONE) {
      if (epi__set_has(set, number)) {
        epi__problem(in, "is there twice");
      }
      epi__set_add(set, number);
    }
    epi__path_back(in, back);
  }
}

/* Flows may go to what the model names. Returns 1, or 0 when out of memory. */
static int keep_endpoint(epi__model_reader *in, const epi_addr *addr) {
  epi__addr_buf text;
  int failed =
      epi__names_add(&in->model->endpoints, epi__addr_text(addr, &text)) < 0;

  in->failed |= failed;
  return !failed;
}

int epi__check_hop(epi__model_reader *in, const char *url) {
  static const char *const schemes[] = {"socks5", "socks6", "socks5+tls",
                                        "socks6+tls"};
  epi__url parsed;

  if (epi__url_parse(&parsed, url)) {
    epi__problem(in, "%s", epi_error_detail());
    return 0;
  }
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    if (!strcmp(parsed.scheme, schemes[i]) &&
        parsed.dest.kind == EPI_ADDR_NONE) {
      return keep_endpoint(in, &parsed.addr);
    }
  }
  epi__problem(in, "must be socks5://, socks6://, socks5+tls:// or "
                   "socks6+tls:// with HOST:PORT");
  return 0;
}
