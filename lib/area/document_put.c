/* document_put.c: members and elements of the canonical document. */
#include "area/document_put.h"

#include "base/json.h"

void epi__put_key(epi__text *out, const char *key) {
  char last = out->len ? out->block[out->len - 1] : '{';

  if (last != '{') {
    epi__text_puts(out, ",");
  }
  epi__json_put_string(out, key);
  epi__text_puts(out, ":");
}

void epi__put_comma(epi__text *out) {
  if (!out->failed && out->block[out->len - 1] != '[') {
    epi__text_puts(out, ",");
  }
}

void epi__put_text(epi__text *out, const char *key, const char *text) {
  if (text) {
    epi__put_key(out, key);
    epi__json_put_string(out, text);
  }
}

void epi__open_list(epi__text *out, const char *key) {
  epi__put_key(out, key);
  epi__text_puts(out, "[");
}

void epi__put_item(epi__text *out, const char *text) {
  epi__put_comma(out);
  epi__json_put_string(out, text);
}

void epi__attributes_put(epi__text *out, const epi_model *model,
                         const uint64_t *set) {
  epi__text_puts(out, "[");
  for (ptrdiff_t at = 0;
       (at = epi__set_next(set, model->words, (size_t)at)) >= 0; at++) {
    epi__put_item(out, model->attributes.texts[at]);
  }
  epi__text_puts(out, "]");
}

void epi__put_set(epi__text *out, const epi_model *model, const char *key,
                  const uint64_t *set) {
  epi__put_key(out, key);
  epi__attributes_put(out, model, set);
}

void epi__put_names(epi__text *out, const char *key, const epi__list *list,
                    const epi__names *names) {
  if (!list->count) {
    return;
  }
  epi__open_list(out, key);
  for (size_t i = 0; i < list->count; i++) {
    epi__put_item(out, names->texts[list->items[i]]);
  }
  epi__text_puts(out, "]");
}

void epi__put_ports(epi__text *out, const epi__list *ports) {
  if (!ports->count) {
    return;
  }
  epi__open_list(out, "ports");
  for (size_t i = 0; i < ports->count; i++) {
    epi__put_comma(out);
    epi__text_printf(out, "%u", (unsigned)ports->items[i]);
  }
  epi__text_puts(out, "]");
}
