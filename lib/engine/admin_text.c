/* admin_text.c: an engine's answers to admins, for people. */
#include "engine/admin_text.h"

#include "base/fail.h"

#include <stdio.h>
#include <string.h>

enum {
  LINE_MAX_BYTES = 4096,
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const epi__admin_column flows[] = {
    {"flow", "FLOW", EPI__COLUMN_NUMBER},
    {"phase", "PHASE", EPI__COLUMN_TEXT},
    {"source", "SOURCE", EPI__COLUMN_TEXT},
    {"dest", "DEST", EPI__COLUMN_TEXT},
    {"verdict", "VERDICT", EPI__COLUMN_TEXT},
    {"rule", "RULE", EPI__COLUMN_TEXT},
    {"user", "USER", EPI__COLUMN_TEXT},
    {"application", "APPLICATION", EPI__COLUMN_TEXT},
    {"out", "OUT", EPI__COLUMN_BYTES},
    {"back", "BACK", EPI__COLUMN_BYTES},
    {"age_ms", "AGE", EPI__COLUMN_TIME},
    {"idle_ms", "IDLE", EPI__COLUMN_TIME},
    {"chain", "CHAIN", EPI__COLUMN_TEXT},
};

static const epi__admin_column cuts[] = {
    {"flow", "CUT FLOW", EPI__COLUMN_NUMBER},
    {"source", "SOURCE", EPI__COLUMN_TEXT},
    {"dest", "DEST", EPI__COLUMN_TEXT},
    {"rule", "RULE", EPI__COLUMN_TEXT},
    {"why", "WHY", EPI__COLUMN_TEXT},
};

static const epi__admin_column ports[] = {
    {"change", "PORT", EPI__COLUMN_TEXT},
    {"listen", "LISTEN", EPI__COLUMN_TEXT},
    {"from", "FROM", EPI__COLUMN_TEXT},
    {"to", "TO", EPI__COLUMN_TEXT},
};

static const epi__admin_column changes[] = {
    {"change", "CHANGE", EPI__COLUMN_TEXT},
    {"from", "FROM", EPI__COLUMN_TEXT},
    {"to", "TO", EPI__COLUMN_TEXT},
    {"port", "PORT", EPI__COLUMN_TEXT},
    {"application", "APPLICATION", EPI__COLUMN_TEXT},
    {"pairs", "PAIRS", EPI__COLUMN_NUMBER},
    {"because", "BECAUSE", EPI__COLUMN_TEXT},
};

static const epi__admin_column settings[] = {
    {"parameter", "NUMBER", EPI__COLUMN_NUMBER},
    {"name", "NAME", EPI__COLUMN_TEXT},
    {"value", "VALUE", EPI__COLUMN_NUMBER},
    {"lowest", "LOWEST", EPI__COLUMN_NUMBER},
    {"highest", "HIGHEST", EPI__COLUMN_NUMBER},
};

static const epi__admin_column listeners[] = {
    {"index", "INDEX", EPI__COLUMN_NUMBER},
    {"url", "URL", EPI__COLUMN_TEXT},
    {"at", "LISTENS AT", EPI__COLUMN_TEXT},
};

static const epi__admin_column instances[] = {
    {"function", "FUNCTION", EPI__COLUMN_TEXT},
    {"url", "URL", EPI__COLUMN_TEXT},
    {"answers", "ANSWERS", EPI__COLUMN_TEXT},
    {"retired", "RETIRED", EPI__COLUMN_TEXT},
    {"flows", "FLOWS", EPI__COLUMN_NUMBER},
};

static const epi__json *member(const epi__json *object, const char *key) {
  const epi__json *at = object && epi__json_type(object) == EPI__JSON_OBJECT
                            ? epi__json_first(object)
                            : NULL;

  while (at && strcmp(epi__json_key(at), key) != 0) {
    at = epi__json_next(at);
  }
  return at;
}

/* `key` of the result, as it is told in the middle of a sentence. */
static void put_member(epi__text *out, const epi__json *result,
                       const char *key) {
  epi__admin_put_value(out, member(result, key), EPI__COLUMN_TEXT);
}

static int is_null(const epi__json *value) {
  return !value || epi__json_type(value) == EPI__JSON_NULL;
}

/* What is left out is said, lest it be missed. */
static void put_missing(epi__text *out, const epi__json *result) {
  const epi__json *missing = member(result, "missing");

  if (!is_null(missing) && epi__json_number(missing) > 0) {
    put_member(out, result, "missing");
    epi__text_puts(out, " workers did not answer: their flows are missing\n");
  }
}

static void put_flows(epi__text *out, const epi__json *result) {
  const epi__json *list = member(result, "flows");

  epi__admin_put_table(out, list, flows, COUNT(flows));
  if (list && !epi__json_first(list)) {
    epi__text_puts(out, "no such flow\n");
  }
  if (!is_null(member(result, "next"))) {
    put_member(out, result, "matched");
    epi__text_puts(out, " flows in all, the next ones from ");
    put_member(out, result, "next");
    epi__text_puts(out, " on (--start)\n");
  }
  put_missing(out, result);
}

static void put_plan(epi__text *out, const epi__json *result) {
  const epi__json *changed = member(result, "changes");

  epi__admin_put_table(out, member(result, "flows"), cuts, COUNT(cuts));
  epi__admin_put_table(out, member(result, "ports"), ports, COUNT(ports));
  epi__admin_put_table(out, member(changed, "changes"), changes,
                       COUNT(changes));
  put_member(out, result, "cut");
  epi__text_puts(out, " of ");
  put_member(out, result, "judged");
  epi__text_puts(out, " flows would be cut, ");
  put_member(out, result, "later");
  epi__text_puts(out, " are judged later\n");
  put_missing(out, result);
}

/* A text of several lines as it is. */
static void put_lines(epi__text *out, const epi__json *text) {
  char clean[LINE_MAX_BYTES];

  if (is_null(text) || epi__json_type(text) != EPI__JSON_STRING) {
    return;
  }
  for (const char *at = epi__json_string(text); *at;) {
    size_t len = strcspn(at, "\n");
    char line[LINE_MAX_BYTES];

    snprintf(line, sizeof line, "%.*s", (int)len, at);
    epi__text_puts(out, epi__printable(clean, sizeof clean, line));
    epi__text_puts(out, "\n");
    at += len + (at[len] == '\n');
  }
}

static void put_answer(epi__text *out, int command, const epi__json *result) {
  switch (command) {
  case EPI__ADMIN_FLOWS:
    put_flows(out, result);
    break;
  case EPI__ADMIN_KILL:
    put_member(out, result, "killed");
    epi__text_puts(out, " flows were killed\n");
    break;
  case EPI__ADMIN_PLAN:
    put_plan(out, result);
    break;
  case EPI__ADMIN_SET_MODEL:
    epi__text_puts(out, "the model ");
    put_member(out, result, "hash");
    epi__text_puts(out, " is in force. If the program has a file for the "
                        "model, that is out of step, and counts again when it "
                        "changes or is reloaded.\n");
    break;
  case EPI__ADMIN_SETTINGS:
    epi__admin_put_table(out, result, settings, COUNT(settings));
    break;
  case EPI__ADMIN_LISTENERS:
    epi__admin_put_table(out, result, listeners, COUNT(listeners));
    break;
  case EPI__ADMIN_INSTANCES:
    epi__admin_put_table(out, result, instances, COUNT(instances));
    break;
  case EPI__ADMIN_METRICS:
    put_lines(out, member(result, "text"));
    break;
  default:
    epi__admin_put_object(out, result, 0);
  }
}

int epi__admin_text(char **out, const epi__text *request,
                    const epi__json *result) {
  epi__admin_request read = {0};
  epi__text text = {0};
  char *block;
  int code = epi__admin_request_read(&read, request->block, request->len);

  if (!code && !result) {
    code = epi__fail(EPI_EPROTO, "the answer has no result");
  }
  if (code) {
    epi__admin_request_clear(&read);
    return code;
  }
  put_answer(&text, read.command, result);
  epi__admin_request_clear(&read);
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
