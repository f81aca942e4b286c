/* expect_never.c: is there any case in which a flow is allowed?
 *
 * Each rule that allows is tried with the values that it names. Whatever it
 * leaves open is left unsaid, because what a flow does not say matches no deny
 * and no require: if the flow is refused then, it is refused in every case.
 * Only the application is not unsaid so easily: the model gives it. */
#include "area/expect.h"
#include "area/rule_text.h"

#include "base/memory.h"

#include <string.h>

typedef struct ends { /* what an end may be */
  epi__end *items;
  size_t count, capacity;
} ends;

typedef struct hunt {
  epi_decision *decision;
  const epi_query *query;
  epi__facts given;
  ends from, to;
  epi_addr *addrs; /* that the ends point to */
  size_t addr_count;
  epi__list applications; /* that rules tell apart; EPI__NONE: in none */
  epi__list minutes;      /* of the week, at which some window begins or ends */
  int free_port;          /* that no rule names, or 0 */
  size_t tries;
} hunt;

static const epi_model *model_of(const hunt *h) {
  return h->decision->model;
}

static int add_end(ends *list, const epi__end *end) {
  epi__end *moved =
      epi__grow(list->items, list->count, &list->capacity, sizeof *moved);

  if (!moved) {
    return EPI_ENOMEM;
  }
  list->items = moved;
  list->items[list->count++] = *end;
  return 0;
}

/* The first address of a range, if the node has it. */
static int add_range(hunt *h, ends *list, uint32_t node,
                     const epi__range *range) {
  epi_addr addr = {.kind = (uint8_t)range->kind};
  epi__end end = {.node = node};

  memcpy(addr.ip, range->ip, sizeof addr.ip);
  if (range->kind == EPI_ADDR_NONE ||
      epi__node_lookup_find(&model_of(h)->lookup, &addr) != (ptrdiff_t)node) {
    return 0;
  }
  h->addrs[h->addr_count] = addr;
  end.ip = &h->addrs[h->addr_count++];
  return add_end(list, &end);
}

static int add_parties(hunt *h, ends *list, uint32_t node,
                       const epi__parties *parties) {
  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind == EPI__PARTY_RANGE &&
        add_range(h, list, node, &parties->items[i].range)) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

/* A node that is asked about by name is also each of its addresses: rules may
 * tell those apart, at the ranges that they name. */
static int find_ends(hunt *h, ends *list, const epi__end *given, int by_name) {
  const epi_model *model = model_of(h);
  const epi__node *node;

  if (add_end(list, given)) {
    return EPI_ENOMEM;
  }
  if (!by_name || given->node == EPI__NONE) {
    return 0;
  }
  node = &model->nodes[given->node];
  for (size_t i = 0; i < node->entry_count; i++) {
    if (add_range(h, list, given->node,
                  &model->lookup.entries[node->entry + i].range)) {
      return EPI_ENOMEM;
    }
  }
  for (size_t i = 0; i < model->rule_names.count; i++) {
    if (add_parties(h, list, given->node, &model->rules[i].from) ||
        add_parties(h, list, given->node, &model->rules[i].to)) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

/* Room for every address that both ends may get. */
static int make_room(hunt *h) {
  const epi_model *model = model_of(h);
  const epi__end *given[] = {&h->given.from, &h->given.to};
  size_t count = 0;

  for (size_t i = 0; i < model->rule_names.count; i++) {
    count += 2 * (model->rules[i].from.count + model->rules[i].to.count);
  }
  for (size_t i = 0; i < 2; i++) {
    count += given[i]->node == EPI__NONE
                 ? 0
                 : model->nodes[given[i]->node].entry_count;
  }
  h->addrs = epi__alloc_array(count, sizeof *h->addrs);
  return h->addrs ? 0 : EPI_ENOMEM;
}

/* None, those that rules name, and one that no rule names: the others are the
 * same to all rules. */
static int find_applications(hunt *h) {
  const epi_model *model = model_of(h);
  epi__list *found = &h->applications;
  uint32_t other = 0;

  if (epi__list_add(found, EPI__NONE)) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < model->rule_names.count; i++) {
    const epi__list *named = &model->rules[i].values[EPI__BY_APPLICATION];

    for (size_t k = 0; k < named->count; k++) {
      if (!epi__list_has(found, named->items[k]) &&
          epi__list_add(found, named->items[k])) {
        return EPI_ENOMEM;
      }
    }
  }
  while (other < model->application_names.count &&
         epi__list_has(found, other)) {
    other++;
  }
  return other < model->application_names.count ? epi__list_add(found, other)
                                                : 0;
}

/* 1 if a flow that names no application is in none: those that have it have
 * another purpose or dataset than it names. */
static int may_be_in_none(const hunt *h, const epi__facts *facts) {
  const epi_model *model = model_of(h);
  size_t at, end;

  if (facts->from.node == EPI__NONE || facts->to.node == EPI__NONE) {
    return 1;
  }
  at = model->exit_start[facts->from.node];
  end = model->exit_start[facts->from.node + 1];
  for (; at < end; at++) {
    const epi__exit *out = &model->exits[at];
    const epi__application *app = &model->applications[out->application];
    int agrees = (app->purpose == EPI__NONE ||
                  app->purpose == facts->values[EPI__BY_PURPOSE]) &&
                 (app->dataset == EPI__NONE ||
                  app->dataset == facts->values[EPI__BY_DATASET]);

    if (agrees && epi__exit_takes(model, out, facts->to.node, facts->port) &&
        (out->move != EPI__NONE || facts->from.node != facts->to.node)) {
      return 0;
    }
  }
  return 1;
}

static int find_minutes(hunt *h) {
  const epi_model *model = model_of(h);

  for (size_t i = 0; i < model->rule_names.count; i++) {
    const epi__window *window = &model->rules[i].window;
    const int edges[] = {window->from, window->to};

    for (size_t k = 0; window->set && k < 14; k++) {
      uint32_t minute = (uint32_t)(k / 2 * 1440 + (size_t)edges[k % 2]) % 10080;

      if (!epi__list_has(&h->minutes, minute) &&
          epi__list_add(&h->minutes, minute)) {
        return EPI_ENOMEM;
      }
    }
  }
  return 0;
}

static void find_port(hunt *h) {
  const epi_model *model = model_of(h);

  for (h->free_port = 65535; h->free_port; h->free_port--) {
    size_t i = 0;

    while (i < model->rule_names.count &&
           !epi__list_has(&model->rules[i].ports, (uint32_t)h->free_port)) {
      i++;
    }
    if (i == model->rule_names.count) {
      return;
    }
  }
}

/* 1 if the flow is allowed so. */
static int try_case(hunt *h, const epi__facts *facts) {
  int result;

  if (++h->tries > EPI__NEVER_TRIES) {
    return EPI_ELIMIT;
  }
  result = epi__judge(h->decision, facts);
  return result ? result : epi_decision_allowed(h->decision);
}

enum { /* what a case chooses, behind the values EPI__BY_* */
       PORT = EPI__BY_COUNT,
       TIME,
       CHOICES,
};

static int said(const hunt *h, int by) {
  static const int keys[EPI__BY_COUNT] = {
      [EPI__BY_APPLICATION] = EPI_QUERY_APPLICATION,
      [EPI__BY_PURPOSE] = EPI_QUERY_PURPOSE,
      [EPI__BY_DATASET] = EPI_QUERY_DATASET,
      [EPI__BY_USER] = EPI_QUERY_USER,
      [EPI__BY_CONSENT] = EPI_QUERY_CONSENT,
  };

  return h->query->texts[keys[by]] != NULL;
}

/* How many values there are to choose from; 1 stands also for none. */
static size_t choices(const hunt *h, const epi__rule *rule, int choice) {
  size_t count;

  if (choice == PORT) {
    count = h->given.port ? 0 : rule->ports.count;
  } else if (choice == TIME) {
    count = h->given.has_time || !rule->window.set ? 0 : h->minutes.count;
  } else {
    count = said(h, choice) ? 0 : rule->values[choice].count;
    if (choice == EPI__BY_APPLICATION && !count && !said(h, choice)) {
      count = h->applications.count;
    }
  }
  return count ? count : 1;
}

static void choose(const hunt *h, const epi__rule *rule, int choice,
                   size_t index, epi__facts *facts) {
  if (choice == PORT && !h->given.port) {
    facts->port =
        rule->ports.count ? (int)rule->ports.items[index] : h->free_port;
  } else if (choice == TIME && !h->given.has_time && rule->window.set) {
    facts->has_time = 1; /* counted from a Monday */
    facts->time = 4 * 86400 + (int64_t)h->minutes.items[index] * 60;
  } else if (choice < PORT && !said(h, choice)) {
    const epi__list *open =
        choice == EPI__BY_APPLICATION ? &h->applications : NULL;
    const epi__list *from =
        rule->values[choice].count ? &rule->values[choice] : open;

    facts->values[choice] = from ? from->items[index] : EPI__NONE;
  }
}

/* Every combination of what the rule names, counted up like digits. */
static int try_rule(hunt *h, const epi__rule *rule,
                    const epi__facts *ends_set) {
  size_t digits[CHOICES] = {0};
  int at = 0;

  while (at < CHOICES) {
    epi__facts facts = *ends_set;
    int result;

    for (int i = 0; i < CHOICES; i++) {
      choose(h, rule, i, digits[i], &facts);
    }
    result = facts.values[EPI__BY_APPLICATION] == EPI__NONE &&
                     !may_be_in_none(h, &facts)
                 ? 0
                 : try_case(h, &facts);
    if (result) {
      h->given = facts;
      return result;
    }
    for (at = 0; at < CHOICES && ++digits[at] == choices(h, rule, at); at++) {
      digits[at] = 0;
    }
  }
  return 0;
}

static int try_ends(hunt *h, const epi__rule *rule) {
  for (size_t i = 0; i < h->from.count; i++) {
    for (size_t k = 0; k < h->to.count; k++) {
      epi__facts facts = h->given;
      int result;

      facts.from = h->from.items[i];
      facts.to = h->to.items[k];
      if (!epi__criterion_met(model_of(h), rule, EPI__ON_FROM, &facts) ||
          !epi__criterion_met(model_of(h), rule, EPI__ON_TO, &facts)) {
        continue;
      }
      result = try_rule(h, rule, &facts);
      if (result) {
        return result;
      }
    }
  }
  return 0;
}

static int try_all(hunt *h) {
  static const epi__rule anything = {.effect = EPI__ALLOW};
  const epi_model *model = model_of(h);

  for (size_t i = 0; i < model->rule_names.count; i++) {
    int result = model->rules[i].effect == EPI__ALLOW
                     ? try_ends(h, &model->rules[i])
                     : 0;

    if (result) {
      return result;
    }
  }
  return model->default_allow ? try_ends(h, &anything) : 0;
}

/* ", application train, purpose research": what makes the case. */
static void tell_case(const hunt *h, epi__text *out) {
  for (int i = EPI__ON_FROM; i < EPI__ON_COUNT; i++) {
    int by = i - EPI__ON_VALUES;

    if ((i == EPI__ON_FROM && !h->given.from.ip) ||
        (i == EPI__ON_TO && !h->given.to.ip) ||
        (by >= 0 && by < EPI__BY_COUNT && h->given.values[by] == EPI__NONE) ||
        (i == EPI__ON_PORTS && h->given.port == h->free_port) ||
        (i == EPI__ON_TIME && !h->given.has_time)) {
      continue;
    }
    epi__text_printf(out, ", %s ",
                     i == EPI__ON_PORTS ? "port" : epi__criterion_name(i));
    epi__fact_put(out, model_of(h), i, &h->given);
  }
}

int epi__expect_never(epi_decision *decision, const epi__expect *expect,
                      epi__text *out) {
  hunt h = {.decision = decision, .query = expect->query};
  epi_model *model = epi_model_ref(decision->model);
  int result = epi__decide(model, expect->query, decision, &h.given);

  if (!result &&
      (make_room(&h) || find_applications(&h) || find_minutes(&h) ||
       find_ends(&h, &h.from, &h.given.from,
                 expect->query->from.node != NULL) ||
       find_ends(&h, &h.to, &h.given.to, expect->query->to.node != NULL))) {
    result = EPI_ENOMEM;
  }
  if (!result) {
    find_port(&h);
    result = try_all(&h);
  }
  if (result == 1) {
    tell_case(&h, out);
  }
  epi__free(h.addrs);
  epi__free(h.from.items);
  epi__free(h.to.items);
  epi__free(h.applications.items);
  epi__free(h.minutes.items);
  epi_model_free(model);
  return result;
}
