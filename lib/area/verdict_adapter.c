/* verdict_adapter.c: a reply of the EPI policy reasoner about a flow becomes a
 * rule, and counts in a model. */
#include "area/flow_query.h"
#include "area/reasoner_reply.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

enum {
  REPLY_MAX = 1 << 20, /* bytes */
};

/* The reasons in one line, cut epi__reasons_between characters at what a reason
 * may have; what a terminal could take for a command becomes a space. */
static void put_reasons(epi__text *out, const epi__json *list) {
  char line[EPI__TEXT_MAX + 1];
  const epi__json *item;
  size_t gap = strlen(epi__reasons_between);
  size_t len = 0;

  for (item = list ? epi__json_first(list) : NULL; item;
       item = epi__json_next(item)) {
    const char *reason = epi__json_string(item);
    size_t more = strlen(reason);

    if (!more) {
      continue;
    }
    if (len && len + gap >= sizeof line) {
      break;
    }
    if (len) {
      memcpy(line + len, epi__reasons_between, gap);
      len += gap;
    }
    if (more >= sizeof line - len) {
      more = sizeof line - len - 1;
      while (more && ((unsigned char)reason[more] & 0xc0) == 0x80) {
        more--;
      }
    }
    memcpy(line + len, reason, more);
    len += more;
  }
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
      line[i] = ' ';
    }
  }
  line[len] = '\0';
  if (len) {
    epi__text_puts(out, ",\"reason\":");
    epi__json_put_string(out, line);
  }
}

static void put_value(epi__text *out, const char *key, const char *value) {
  epi__text_printf(out, ",\"%s\":[", key);
  epi__json_put_string(out, value);
  epi__text_puts(out, "]");
}

/* Only what means this one end: a word that a rule takes for more, such as
 * `has:ATTRIBUTE`, is no node's name. */
static void put_end(epi__model_reader *in, epi__text *out, const char *key,
                    const epi__query_end *end) {
  size_t back = epi__path_key(in, key);
  char text[EPI_ADDR_TEXT_MAX];

  if (end->node) {
    if (epi__check_name(in, end->node)) {
      epi__check_node_name(in, end->node);
    }
    put_value(out, key, end->node);
  } else if (end->addr.kind == EPI_ADDR_NONE) {
    epi__problem(in, "is not set");
  } else if (end->addr.kind == EPI_ADDR_NAME ||
             epi_addr_format(&end->addr, 0, text, sizeof text) < 0) {
    epi__problem(in, "rules name nodes and IP addresses, not hosts");
  } else {
    put_value(out, key, text);
  }
  epi__path_back(in, back);
}

/* A rule has its values as alternatives, so it would be about more flows than
 * the one that has all of them. */
static void put_authenticated(epi__model_reader *in, epi__text *out,
                              unsigned set) {
  size_t back = epi__path_key(in, "authenticated");
  char words[EPI__AUTH_TEXT];

  if (set & (set - 1)) {
    epi__problem(in, "must be one of its words, for a rule");
  }
  put_value(out, "authenticated", epi__auth_text(words, set));
  epi__path_back(in, back);
}

static void put_flow(epi__model_reader *in, epi__text *out,
                     const epi_query *query) {
  static const char *const keys[EPI__QUERY_TEXTS] = {
      [EPI_QUERY_APPLICATION] = "application", [EPI_QUERY_PURPOSE] = "purpose",
      [EPI_QUERY_DATASET] = "dataset",         [EPI_QUERY_USER] = "user",
      [EPI_QUERY_CONSENT] = "consent",
  };

  put_end(in, out, "from", &query->from);
  put_end(in, out, "to", &query->to);
  for (size_t i = EPI_QUERY_APPLICATION; i < EPI__QUERY_TEXTS; i++) {
    if (query->texts[i]) {
      size_t back = epi__path_key(in, keys[i]);

      epi__check_name(in, query->texts[i]);
      put_value(out, keys[i], query->texts[i]);
      epi__path_back(in, back);
    }
  }
  if (query->authenticated) {
    put_authenticated(in, out, query->authenticated);
  }
  if (query->port) {
    epi__text_printf(out, ",\"ports\":[%d]", query->port);
  }
}

static int put_rule(epi__text *out, const epi__json *root,
                    const epi_query *query, const char *id, int *allows) {
  epi__model_reader in = {0}, asked = {0};
  epi__reasoner_reply said = {0};

  epi__reasoner_read(&in, root, &said);
  if (in.problem_count) {
    return epi__fail(EPI_EPROTO, "%s", in.first);
  }
  epi__path_key(&asked, "id");
  if (id) {
    epi__check_rule_id(&asked, id);
  } else if (said.reference) {
    id = said.reference;
  } else {
    epi__problem(&asked, "is needed: the reply has no verdict_reference");
    id = "";
  }
  epi__path_back(&asked, 0);
  *allows = said.allows;
  epi__text_puts(out, "{\"id\":");
  epi__json_put_string(out, id);
  epi__text_printf(out, ",\"effect\":\"%s\"", said.allows ? "allow" : "deny");
  put_flow(&asked, out, query);
  put_reasons(out, said.reasons);
  epi__text_puts(out, "}");
  return asked.problem_count ? epi__fail(EPI_EINVAL, "%s", asked.first) : 0;
}

static int make_rule(const void *json, size_t len, const epi_query *query,
                     const char *id, int *allows, char **out) {
  epi__text text = {0};
  epi__json *root;
  char *block;
  int result;

  if (len > REPLY_MAX) {
    return epi__fail(EPI_ELIMIT, "a reply of the reasoner has at most %d bytes",
                     REPLY_MAX);
  }
  result = epi__json_read(&root, json, len);
  if (result == EPI_EMODEL) {
    return epi__fail(EPI_EPROTO, "%s", epi_error_detail());
  }
  if (result) {
    return result;
  }
  result = put_rule(&text, root, query, id, allows);
  epi__json_free(root);
  if (result) {
    epi__text_clear(&text);
    return result;
  }
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}

int epi_reasoner_rule(const void *json, size_t len, const epi_query *query,
                      const char *id, char **out) {
  int allows;

  return make_rule(json, len, query, id, &allows, out);
}

int epi_reasoner_apply(const epi_model *model, const void *json, size_t len,
                       const epi_query *query, const char *id,
                       epi_model **out) {
  char *rule, *document = NULL;
  int allows;
  int result = make_rule(json, len, query, id, &allows, &rule);

  if (result) {
    return result;
  }
  result = epi__model_write(model, rule, allows ? model->rule_names.count : 0,
                            &document);
  if (!result) {
    result = epi_model_read(out, NULL, document, strlen(document));
  }
  epi__free(rule);
  epi__free(document);
  return result;
}
