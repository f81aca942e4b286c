/* policy_write.c: the rules of the canonical document. */
#include "area/document_put.h"

#include <stdio.h>

static void put_party(epi__text *out, const epi_model *model,
                      const epi__party *party) {
  static const char *const prefixes[] = {
      [EPI__PARTY_NODE] = "",
      [EPI__PARTY_DOMAIN] = "domain:",
      [EPI__PARTY_HAS] = "has:",
      [EPI__PARTY_AREA] = "area:",
  };
  const epi__names *names = party->kind == EPI__PARTY_DOMAIN ? &model->domains
                            : party->kind == EPI__PARTY_HAS
                                ? &model->attributes
                                : &model->node_names;
  char text[EPI_NAME_MAX + 16];
  epi__addr_buf buf;

  if (party->kind == EPI__PARTY_RANGE) {
    epi__put_item(out, epi__range_text(&party->range, &buf));
  } else if (party->kind == EPI__PARTY_UNKNOWN) {
    epi__put_item(out, "unknown");
  } else {
    snprintf(text, sizeof text, "%s%s", prefixes[party->kind],
             names->texts[party->number]);
    epi__put_item(out, text);
  }
}

static void put_parties(epi__text *out, const epi_model *model, const char *key,
                        const epi__parties *parties) {
  if (!parties->count) {
    return;
  }
  epi__open_list(out, key);
  for (size_t i = 0; i < parties->count; i++) {
    put_party(out, model, &parties->items[i]);
  }
  epi__text_puts(out, "]");
}

static void put_authenticated(epi__text *out, unsigned set) {
  if (set) {
    epi__open_list(out, "authenticated");
    epi__text_puts(out, "\"");
    epi__auth_put(out, set, "\",\"");
    epi__text_puts(out, "\"]");
  }
}

static void put_minutes(epi__text *out, const char *key, int minutes) {
  epi__put_key(out, key);
  epi__text_printf(out, "\"%02d:%02d\"", minutes / 60, minutes % 60);
}

static void put_window(epi__text *out, const epi__window *window) {
  if (!window->set) {
    return;
  }
  epi__put_key(out, "time");
  epi__text_puts(out, "{");
  if (window->from) {
    put_minutes(out, "from", window->from);
  }
  if (window->to != 24 * 60) {
    put_minutes(out, "to", window->to);
  }
  if (window->days != 0x7f) {
    epi__open_list(out, "days");
    for (unsigned day = 0; day < 7; day++) {
      if (window->days >> day & 1) {
        epi__put_item(out, epi__day_name(day));
      }
    }
    epi__text_puts(out, "]");
  }
  epi__text_puts(out, "}");
}

static void put_rule(epi__text *out, const epi_model *model, size_t number) {
  static const char *const effects[] = {
      [EPI__ALLOW] = "allow",
      [EPI__DENY] = "deny",
      [EPI__REQUIRE] = "require",
  };
  static const char *const criteria[EPI__BY_COUNT] = {
      [EPI__BY_APPLICATION] = "application", [EPI__BY_PURPOSE] = "purpose",
      [EPI__BY_DATASET] = "dataset",         [EPI__BY_USER] = "user",
      [EPI__BY_CONSENT] = "consent",
  };
  const epi__rule *rule = &model->rules[number];

  epi__put_text(out, "id", model->rule_names.texts[number]);
  epi__put_text(out, "effect", effects[rule->effect]);
  put_parties(out, model, "from", &rule->from);
  put_parties(out, model, "to", &rule->to);
  for (size_t i = 0; i < EPI__BY_COUNT; i++) {
    epi__put_names(out, criteria[i], &rule->values[i],
                   i == EPI__BY_APPLICATION ? &model->application_names
                                            : &model->terms);
  }
  put_authenticated(out, rule->authenticated);
  epi__put_ports(out, &rule->ports);
  put_window(out, &rule->window);
  if (rule->effect == EPI__REQUIRE) {
    epi__put_set(out, model, "attributes", rule->attributes);
  }
  epi__put_text(out, "reason", rule->reason);
}

void epi__put_policy(epi__text *out, const epi_model *model, const char *more,
                     size_t before) {
  size_t count = model->rule_names.count;

  if (!model->default_allow && !count && !more) {
    return;
  }
  epi__put_key(out, "policy");
  epi__text_puts(out, "{");
  epi__put_text(out, "default", model->default_allow ? "allow" : NULL);
  if (count || more) {
    epi__open_list(out, "rules");
    for (size_t i = 0; i <= count; i++) {
      if (more && i == before) {
        epi__put_comma(out);
        epi__text_puts(out, more);
      }
      if (i < count) {
        epi__put_comma(out);
        epi__text_puts(out, "{");
        put_rule(out, model, i);
        epi__text_puts(out, "}");
      }
    }
    epi__text_puts(out, "]");
  }
  epi__text_puts(out, "}");
}
