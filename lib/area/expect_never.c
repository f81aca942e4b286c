/* expect_never.c: is there any case in which a flow is allowed?
 *
 * Each rule that allows is tried with the values that it names. Whatever it
 * leaves open is left unsaid, because what a flow does not say matches no deny
 * and no require: if the flow is refused then, it is refused in every case.
 * Only the application is not unsaid so easily: the model gives it. */
#include "area/expect_case.h"
#include "area/rule_text.h"

static const epi_model *model_of(const epi__hunt *h) {
  return h->decision->model;
}

/* 1 if a flow that names no application is in none: those that have it have
 * another purpose or dataset than it names. */
static int may_be_in_none(const epi__hunt *h, const epi__facts *facts) {
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

/* 1 if the flow is allowed so. */
static int try_case(epi__hunt *h, const epi__facts *facts) {
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
       MEANS,
       CHOICES,
};

static int said(const epi__hunt *h, int by) {
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
static size_t choices(const epi__hunt *h, const epi__rule *rule, int choice) {
  size_t count;

  if (choice == PORT) {
    count = h->given.port ? 0 : rule->ports.count;
  } else if (choice == TIME) {
    count = h->given.has_time || !rule->window.set ? 0 : h->minutes.count;
  } else if (choice == MEANS) {
    count = h->means.count;
  } else {
    count = said(h, choice) ? 0 : rule->values[choice].count;
    if (choice == EPI__BY_APPLICATION && !count && !said(h, choice)) {
      count = h->applications.count;
    }
  }
  return count ? count : 1;
}

static void choose(const epi__hunt *h, const epi__rule *rule, int choice,
                   size_t index, epi__facts *facts) {
  if (choice == PORT && !h->given.port) {
    facts->port =
        rule->ports.count ? (int)rule->ports.items[index] : h->free_port;
  } else if (choice == TIME && !h->given.has_time && rule->window.set) {
    facts->has_time = 1; /* counted from a Monday */
    facts->time = 4 * 86400 + (int64_t)h->minutes.items[index] * 60;
  } else if (choice == MEANS) {
    facts->authenticated = h->means.items[index];
  } else if (choice < PORT && !said(h, choice)) {
    const epi__list *open =
        choice == EPI__BY_APPLICATION ? &h->applications : NULL;
    const epi__list *from =
        rule->values[choice].count ? &rule->values[choice] : open;

    facts->values[choice] = from ? from->items[index] : EPI__NONE;
  }
}

/* Every combination of what the rule names, counted up like digits. */
static int try_rule(epi__hunt *h, const epi__rule *rule,
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

static int try_ends(epi__hunt *h, const epi__rule *rule) {
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

static int try_all(epi__hunt *h) {
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
static void tell_case(const epi__hunt *h, epi__text *out) {
  for (int i = EPI__ON_FROM; i < EPI__ON_COUNT; i++) {
    int by = i - EPI__ON_VALUES;

    if ((i == EPI__ON_FROM && !h->given.from.ip) ||
        (i == EPI__ON_TO && !h->given.to.ip) ||
        (by >= 0 && by < EPI__BY_COUNT && h->given.values[by] == EPI__NONE) ||
        (i == EPI__ON_AUTHENTICATED && h->means.count == 1) ||
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
  epi__hunt h = {.decision = decision, .query = expect->query};
  epi_model *model = epi_model_ref(decision->model);
  int result = epi__decide(model, expect->query, decision, &h.given);

  if (!result) {
    result = epi__hunt_start(&h);
  }
  if (!result) {
    result = try_all(&h);
  }
  if (result == 1) {
    tell_case(&h, out);
  }
  epi__hunt_clear(&h);
  epi_model_free(model);
  return result;
}
