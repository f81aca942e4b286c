/* reasoner_reply.c: replies of the EPI policy reasoner are read, and decisions
 * are written as such. */
#include "area/reasoner_reply.h"

#include "area/decision.h"
#include "base/bytes.h"

#include <string.h>

const char epi__reasons_between[] = "; ";

/* The member of an object, or NULL. Keys that are not known are no problem: a
 * reasoner adds signatures and the like. */
static const epi__json *find(epi__model_reader *in, const epi__json *object,
                             const char *key) {
  const epi__json *at, *found = NULL;

  for (at = epi__json_first(object); at; at = epi__json_next(at)) {
    if (strcmp(epi__json_key(at), key)) {
      continue;
    }
    if (found) {
      size_t back = epi__path_key(in, key);

      epi__problem(in, "is there twice");
      epi__path_back(in, back);
    }
    found = at;
  }
  return found;
}

void epi__check_rule_id(epi__model_reader *in, const char *id) {
  if (epi__check_name(in, id) && !strcmp(id, "default")) {
    epi__problem(in, "\"default\" is no id of a rule");
  }
}

static const char *read_reference(epi__model_reader *in,
                                  const epi__json *root) {
  const epi__json *value = find(in, root, "verdict_reference");
  size_t back = epi__path_key(in, "verdict_reference");
  const char *reference = epi__read_string(in, value);

  if (!value) {
    epi__problem(in, "is missing");
  } else if (reference) {
    epi__check_rule_id(in, reference);
  }
  epi__path_back(in, back);
  return reference;
}

/* A list of strings, or null, or nothing. */
static const epi__json *read_reasons(epi__model_reader *in,
                                     const epi__json *list) {
  const epi__json *item;
  size_t i = 0;

  if (!list || epi__json_type(list) == EPI__JSON_NULL) {
    return NULL;
  }
  if (epi__json_type(list) != EPI__JSON_LIST) {
    epi__problem(in, "must be a list, not %s",
                 epi__json_type_name(epi__json_type(list)));
    return NULL;
  }
  for (item = epi__json_first(list); item; item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);

    if (epi__json_type(item) != EPI__JSON_STRING) {
      epi__problem(in, "must be a string, not %s",
                   epi__json_type_name(epi__json_type(item)));
    }
    epi__path_back(in, back);
  }
  return list;
}

static void read_violated(epi__model_reader *in, const epi__json *value,
                          epi__reasoner_reply *out) {
  const epi__json *list = find(in, value, "Violated");
  size_t back = epi__path_key(in, "Violated");

  if (!list) {
    epi__problem(in, "is missing");
  } else if (epi__json_type(list) == EPI__JSON_NULL) {
    epi__problem(in, "must be a list, not null");
  }
  out->reasons = read_reasons(in, list);
  epi__path_back(in, back);
}

static void read_deliberation(epi__model_reader *in, const epi__json *root,
                              epi__reasoner_reply *out) {
  const epi__json *list = find(in, root, "reasons_for_denial");
  size_t back = epi__path_key(in, "reasons_for_denial");

  out->reasons = read_reasons(in, list);
  if (out->allows && out->reasons && epi__json_first(out->reasons)) {
    epi__problem(in, "the verdict is \"allow\", which has none");
  }
  epi__path_back(in, back);
  out->reference = read_reference(in, root);
}

void epi__reasoner_read(epi__model_reader *in, const epi__json *root,
                        epi__reasoner_reply *out) {
  const epi__json *value;
  const char *text = "";
  size_t back;

  if (epi__json_type(root) != EPI__JSON_OBJECT) {
    epi__problem(in, "a reply must be an object, not %s",
                 epi__json_type_name(epi__json_type(root)));
    return;
  }
  value = find(in, root, "verdict");
  back = epi__path_key(in, "verdict");
  if (value && epi__json_type(value) == EPI__JSON_STRING) {
    text = epi__json_string(value);
  }
  if (!value) {
    epi__problem(in, "is missing");
  } else if (epi__json_type(value) == EPI__JSON_OBJECT) {
    read_violated(in, value, out);
  } else if (!strcmp(text, "Success")) {
    out->allows = 1;
  } else if (!strcmp(text, "allow") || !strcmp(text, "deny")) {
    epi__path_back(in, back);
    out->allows = !strcmp(text, "allow");
    read_deliberation(in, root, out);
  } else {
    epi__problem(in, "must be \"allow\", \"deny\", \"Success\" or"
                     " {\"Violated\": [...]}");
  }
  epi__path_back(in, back);
}

/* The reason of a decision as the list that a rule's reason joins. */
static void put_list(epi__text *out, const char *reason) {
  const char *end;

  epi__text_puts(out, "[");
  while ((end = strstr(reason, epi__reasons_between))) {
    epi__json_put_part(out, reason, (size_t)(end - reason));
    epi__text_puts(out, ",");
    reason = end + strlen(epi__reasons_between);
  }
  epi__json_put_string(out, reason);
  epi__text_puts(out, "]");
}

static void put_deliberation(epi__text *out, const epi_decision *decision,
                             const char *reference) {
  int allowed = epi_decision_allowed(decision);

  epi__text_printf(out, "{\"verdict\":\"%s\",\"verdict_reference\":",
                   allowed ? "allow" : "deny");
  epi__json_put_string(out,
                       reference ? reference : epi_decision_rule(decision));
  epi__text_puts(out, ",\"reasons_for_denial\":");
  if (allowed) {
    epi__text_puts(out, "null");
  } else {
    put_list(out, epi_decision_reason(decision));
  }
  epi__text_puts(out, "}");
}

int epi_reasoner_reply(const epi_decision *decision, int version,
                       const char *reference, char **out) {
  epi__text text = {0};
  char *block;

  if (version == EPI_REASONER_DELIBERATION) {
    put_deliberation(&text, decision, reference);
  } else if (version != EPI_REASONER_VIOLATIONS) {
    return epi__fail(EPI_EINVAL, "the reasoner has no replies of version %d",
                     version);
  } else if (epi_decision_allowed(decision)) {
    epi__text_puts(&text, "{\"verdict\":\"Success\"}");
  } else {
    epi__text_puts(&text, "{\"verdict\":{\"Violated\":");
    put_list(&text, epi_decision_reason(decision));
    epi__text_puts(&text, "}}");
  }
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
