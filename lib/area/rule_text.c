/* rule_text.c: a rule's criteria one by one, and in words. */
#include "area/rule_text.h"

#include <string.h>

const char *epi__criterion_name(int criterion) {
  static const char *const names[EPI__ON_COUNT] = {
      [EPI__ON_FROM] = "from",
      [EPI__ON_TO] = "to",
      [EPI__ON_VALUES + EPI__BY_APPLICATION] = "application",
      [EPI__ON_VALUES + EPI__BY_PURPOSE] = "purpose",
      [EPI__ON_VALUES + EPI__BY_DATASET] = "dataset",
      [EPI__ON_VALUES + EPI__BY_USER] = "user",
      [EPI__ON_VALUES + EPI__BY_CONSENT] = "consent",
      [EPI__ON_AUTHENTICATED] = "authenticated",
      [EPI__ON_PORTS] = "ports",
      [EPI__ON_TIME] = "time",
  };

  return names[criterion];
}

const char *epi__effect_name(int effect) {
  return effect == EPI__ALLOW  ? "allow"
         : effect == EPI__DENY ? "deny"
                               : "require";
}

/* A rule with this criterion alone meets a flow of which only this is known:
 * so there is one place that says what a criterion means. An end that is not
 * asked about is some node, because allow rules take no other. */
int epi__criterion_met(const epi_model *model, const epi__rule *rule,
                       int criterion, const epi__facts *facts) {
  epi__rule alone = {.effect = rule->effect};
  epi__facts known = *facts;
  const epi__end some = {.node = 0};

  if (criterion != EPI__ON_FROM) {
    known.from = some;
  }
  if (criterion != EPI__ON_TO) {
    known.to = some;
  }
  switch (criterion) {
  case EPI__ON_FROM:
    alone.from = rule->from;
    break;
  case EPI__ON_TO:
    alone.to = rule->to;
    break;
  case EPI__ON_AUTHENTICATED:
    alone.authenticated = rule->authenticated;
    break;
  case EPI__ON_PORTS:
    alone.ports = rule->ports;
    break;
  case EPI__ON_TIME:
    alone.window = rule->window;
    break;
  default:
    alone.values[criterion - EPI__ON_VALUES] =
        rule->values[criterion - EPI__ON_VALUES];
  }
  return epi__rule_matches(model, &alone, &known);
}

void epi__party_put(epi__text *out, const epi_model *model,
                    const epi__party *party) {
  epi__addr_buf buf;

  switch (party->kind) {
  case EPI__PARTY_RANGE:
    epi__text_puts(out, epi__range_text(&party->range, &buf));
    break;
  case EPI__PARTY_UNKNOWN:
    epi__text_puts(out, "unknown");
    break;
  case EPI__PARTY_DOMAIN:
    epi__text_puts(out, "domain:");
    epi__text_puts(out, model->domains.texts[party->number]);
    break;
  case EPI__PARTY_HAS:
    epi__text_puts(out, "has:");
    epi__text_puts(out, model->attributes.texts[party->number]);
    break;
  default:
    epi__text_puts(out, party->kind == EPI__PARTY_AREA ? "area:" : "");
    epi__text_puts(out, model->node_names.texts[party->number]);
  }
}

static void put_parties(epi__text *out, const epi_model *model,
                        const epi__parties *parties) {
  for (size_t i = 0; i < parties->count; i++) {
    epi__text_puts(out, i ? " or " : "");
    epi__party_put(out, model, &parties->items[i]);
  }
  if (!parties->count) { /* what an allow rule means by saying nothing */
    epi__text_puts(out, "a node of the model");
  }
}

static void put_window(epi__text *out, const epi__window *window) {
  const char *before = " on ";

  epi__text_printf(out, "%02d:%02d to %02d:%02d UTC", window->from / 60,
                   window->from % 60, window->to / 60, window->to % 60);
  for (unsigned day = 0; day < 7 && window->days != 0x7f; day++) {
    if (window->days >> day & 1) {
      epi__text_puts(out, before);
      epi__text_puts(out, epi__day_name(day));
      before = ", ";
    }
  }
}

static const epi__names *names_of(const epi_model *model, int criterion) {
  return criterion == EPI__ON_VALUES + EPI__BY_APPLICATION
             ? &model->application_names
             : &model->terms;
}

void epi__criterion_put(epi__text *out, const epi_model *model,
                        const epi__rule *rule, int criterion) {
  const epi__list *list;

  switch (criterion) {
  case EPI__ON_FROM:
  case EPI__ON_TO:
    put_parties(out, model,
                criterion == EPI__ON_FROM ? &rule->from : &rule->to);
    return;
  case EPI__ON_TIME:
    put_window(out, &rule->window);
    return;
  case EPI__ON_AUTHENTICATED:
    epi__auth_put(out, rule->authenticated, " or ");
    return;
  case EPI__ON_PORTS:
    for (size_t i = 0; i < rule->ports.count; i++) {
      epi__text_printf(out, "%s%u", i ? " or " : "",
                       (unsigned)rule->ports.items[i]);
    }
    return;
  default:
    list = &rule->values[criterion - EPI__ON_VALUES];
    for (size_t i = 0; i < list->count; i++) {
      epi__text_puts(out, i ? " or " : "");
      epi__text_puts(out, names_of(model, criterion)->texts[list->items[i]]);
    }
  }
}

void epi__ip_put(epi__text *out, const epi_addr *ip) {
  epi__range range = {.kind = ip->kind,
                      .bits = ip->kind == EPI_ADDR_IPV4 ? 32 : 128};
  epi__addr_buf buf;

  memcpy(range.ip, ip->ip, sizeof range.ip);
  epi__text_puts(out, epi__range_text(&range, &buf));
}

static void put_end(epi__text *out, const epi_model *model,
                    const epi__end *end) {
  if (end->ip) {
    epi__ip_put(out, end->ip);
    epi__text_puts(out, end->node == EPI__NONE ? ", which is " : " of ");
  }
  epi__text_puts(
      out, end->node == EPI__NONE
               ? (end->is_private ? "a private address of no node" : "unknown")
               : model->node_names.texts[end->node]);
}

static void put_time(epi__text *out, const epi__facts *facts) {
  int64_t rest = facts->time % 86400, days = facts->time / 86400;

  if (!facts->has_time) {
    epi__text_puts(out, "not known");
    return;
  }
  if (rest < 0) {
    rest += 86400;
    days--;
  }
  epi__text_printf(out, "%02d:%02d UTC on %s", (int)(rest / 3600),
                   (int)(rest % 3600 / 60),
                   epi__day_name((unsigned)((days % 7 + 10) % 7)));
}

void epi__fact_put(epi__text *out, const epi_model *model, int criterion,
                   const epi__facts *facts) {
  uint32_t value;

  switch (criterion) {
  case EPI__ON_FROM:
  case EPI__ON_TO:
    put_end(out, model, criterion == EPI__ON_FROM ? &facts->from : &facts->to);
    return;
  case EPI__ON_AUTHENTICATED:
    epi__auth_put(out, facts->authenticated, " and ");
    return;
  case EPI__ON_PORTS:
    epi__text_printf(out, "%d", facts->port);
    return;
  case EPI__ON_TIME:
    put_time(out, facts);
    return;
  default:
    value = facts->values[criterion - EPI__ON_VALUES];
    if (value != EPI__NONE) {
      epi__text_puts(out, names_of(model, criterion)->texts[value]);
    } else { /* an application that the model lacks was an error before */
      epi__text_puts(out, criterion == EPI__ON_VALUES + EPI__BY_APPLICATION
                              ? "none"
                              : "none that the model names");
    }
  }
}

void epi__attributes_tell(epi__text *out, const epi_model *model,
                          const uint64_t *set, const char *none) {
  const char *before = "";

  for (ptrdiff_t at = 0;
       (at = epi__set_next(set, model->words, (size_t)at)) >= 0; at++) {
    epi__text_puts(out, before);
    epi__text_puts(out, model->attributes.texts[at]);
    before = ", ";
  }
  epi__text_puts(out, *before ? "" : none);
}
