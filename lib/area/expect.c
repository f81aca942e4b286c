/* expect.c: does a model do what a document expects of it? */
#include "area/expect.h"
#include "area/rule_text.h"
#include "epi/review.h"

#include "base/memory.h"

#include <string.h>

/* Take out of `lacking` what the destination has and the chain applies, and out
 * of `through` the functions of the chain. */
static void drop_present(const epi_decision *decision, uint64_t *lacking,
                         epi__list *through) {
  const epi_model *model = decision->model;
  const epi_plan *plan = epi_decision_plan(decision);

  epi__set_drop(lacking, epi__decision_set(decision, EPI_HAVE), model->words);
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      uint32_t number = (uint32_t)epi__names_find(
          &model->function_names, epi_plan_function_name(plan, hop, i));

      epi__set_drop(lacking, model->functions[number].provides, model->words);
      for (size_t k = 0; k < through->count; k++) {
        if (through->items[k] == number) {
          through->items[k] = through->items[--through->count];
        }
      }
    }
  }
}

/* Append what does not hold, or nothing. */
static void tell_broken(epi__text *out, epi__expect *expect,
                        const epi_decision *decision) {
  const epi_model *model = decision->model;
  int allowed = epi_decision_allowed(decision);
  const char *verdict = epi_verdict_name(decision->verdict);

  if ((expect->verdict && expect->verdict != decision->verdict) ||
      (expect->allowed >= 0 && expect->allowed != allowed) ||
      (expect->allowed != 0 && !expect->verdict && !allowed &&
       (expect->through.count || epi__set_count(expect->with, model->words)))) {
    epi__text_printf(out, "must be %s, is %s: %s",
                     expect->verdict        ? epi_verdict_name(expect->verdict)
                     : expect->allowed == 0 ? "refused"
                                            : "allowed",
                     verdict, epi_decision_reason(decision));
    return;
  }
  if (expect->rule && strcmp(expect->rule, epi_decision_rule(decision))) {
    epi__text_printf(out, "must be decided by rule \"%s\", is %s by \"%s\"",
                     expect->rule, verdict, epi_decision_rule(decision));
    return;
  }
  drop_present(decision, expect->with, &expect->through);
  if (epi__set_count(expect->with, model->words)) {
    epi__text_printf(out, "is %s without ", verdict);
    epi__attributes_tell(out, model, expect->with, "");
  } else if (expect->through.count) {
    epi__text_printf(out, "is %s, but not through %s", verdict,
                     model->function_names.texts[expect->through.items[0]]);
  }
}

/* Append what does not hold, or nothing. Returns 0 or EPI_ENOMEM. */
static int check(epi_model *model, epi__expect *expect, epi_decision *decision,
                 epi__text *out) {
  epi__text words = {0};
  int result = epi_model_decide(model, expect->query, decision);

  if (result) {
    return result;
  }
  if (!expect->never) {
    tell_broken(out, expect, decision);
    return 0;
  }
  result = epi__expect_never(decision, expect, &words);
  if (result == 1) {
    epi__text_printf(out, "must never be allowed, but is by \"%s\"",
                     epi_decision_rule(decision));
    epi__text_puts(out, words.len ? words.block : "");
  } else if (result == EPI_ELIMIT) {
    epi__text_puts(out, "must never be allowed; this has too many cases to "
                        "be shown");
  }
  result = words.failed || result == EPI_ENOMEM ? EPI_ENOMEM : 0;
  epi__text_clear(&words);
  return result;
}

typedef struct work {
  epi__model_reader in;
  epi_decision *decision;
  epi__expect expect;
  int form;
  size_t failures;
  epi__text out;
} work;

static void put_failure(work *w, size_t index, const char *from, const char *to,
                        const char *what) {
  const char *because = w->expect.because;

  if (w->form == EPI_FORM_JSON) {
    epi__text_printf(
        &w->out, "%s{\"expect\":%zu,\"from\":", w->failures ? "," : "", index);
    epi__json_put_string(&w->out, from);
    epi__text_puts(&w->out, ",\"to\":");
    epi__json_put_string(&w->out, to);
    epi__text_puts(&w->out, ",\"failure\":");
    epi__json_put_string(&w->out, what);
    epi__text_puts(&w->out, ",\"because\":");
    epi__json_put_string(&w->out, because ? because : "");
    epi__text_puts(&w->out, "}");
  } else {
    epi__text_printf(&w->out, "expect[%zu]: %s -> %s %s", index, from, to,
                     what);
    epi__text_printf(&w->out, "%s%s\n", because ? "; expected because " : "",
                     because ? because : "");
  }
  w->failures++;
}

static const epi__json *string_of(const epi__json *object, const char *key) {
  const epi__json *at = epi__json_first(object);

  while (strcmp(epi__json_key(at), key)) {
    at = epi__json_next(at);
  }
  return at;
}

/* Read an expectation, and check it once all of them are known to be good. */
static int take(work *w, const epi__json *item, size_t index, int checking) {
  epi_model *model = w->in.model;
  epi__text what = {0};
  int result = 0;

  memset(&w->expect, 0, sizeof w->expect);
  w->expect.with = epi__alloc_array(model->words, sizeof(uint64_t));
  if (!w->expect.with || epi_query_new(&w->expect.query)) {
    result = EPI_ENOMEM;
    goto done;
  }
  epi__expect_read(&w->in, item, &w->expect);
  if (checking && !w->in.failed) {
    result = check(model, &w->expect, w->decision, &what);
    if (!result && what.len) {
      put_failure(w, index, epi__json_string(string_of(item, "from")),
                  epi__json_string(string_of(item, "to")), what.block);
    }
  }
  if (w->in.failed || what.failed || w->out.failed) {
    result = EPI_ENOMEM;
  }
done:
  epi__text_clear(&what);
  epi__free(w->expect.with);
  epi__free(w->expect.through.items);
  epi_query_free(w->expect.query);
  return result;
}

static int take_all(work *w, const epi__json *list, int checking) {
  size_t back = epi__path_key(&w->in, "expect");
  const epi__json *item = epi__json_first(list);
  int result = 0;

  if (epi__too_long(&w->in, list, EPI__EXPECT_MAX)) {
    item = NULL;
  }
  for (size_t i = 0; item && !result; item = epi__json_next(item), i++) {
    size_t inner = epi__path_index(&w->in, i);

    result = take(w, item, i, checking);
    epi__path_back(&w->in, inner);
  }
  epi__path_back(&w->in, back);
  return result;
}

static size_t length_of(const epi__json *list) {
  size_t count = 0;

  for (list = epi__json_first(list); list; list = epi__json_next(list)) {
    count++;
  }
  return count;
}

static int run(work *w, const epi__json *root) {
  static const epi__key top[] = {
      {"epi-assert", EPI__JSON_NUMBER, 1},
      {"expect", EPI__JSON_LIST, 1},
      {NULL, 0, 0},
  };
  const epi__json *values[2];
  size_t back;
  int result = 0;

  epi__read_members(&w->in, root, top, values);
  back = epi__path_key(&w->in, top[0].name);
  if (values[0] && epi__json_number(values[0]) != 1) {
    epi__problem(&w->in, "this version of libepi reads version 1");
  }
  epi__path_back(&w->in, back);
  result = values[1] ? take_all(w, values[1], 0) : 0;
  if (w->in.failed) {
    result = EPI_ENOMEM;
  }
  if (result || w->in.problem_count) {
    return result ? result : epi__fail(EPI_EMODEL, "%s", w->in.first);
  }
  if (w->form == EPI_FORM_JSON) {
    epi__text_printf(&w->out,
                     "{\"model\":\"%s\",\"expected\":%zu,"
                     "\"failures\":[",
                     w->in.model->hash, length_of(values[1]));
  }
  result = take_all(w, values[1], 1);
  epi__text_puts(&w->out, w->form == EPI_FORM_JSON ? "]}" : "");
  return result;
}

ptrdiff_t epi_model_assert(epi_model *model, epi_report *problems,
                           const void *json, size_t len, int form, char **out) {
  work w = {.in = {.model = model, .problems = problems}, .form = form};
  epi__json *root;
  char *block = NULL;
  int result;

  if (form != EPI_FORM_TEXT && form != EPI_FORM_JSON) {
    return epi__fail(EPI_EINVAL, "there is no form %d", form);
  }
  if (len > EPI_MODEL_MAX) {
    return epi__fail(EPI_ELIMIT, "a document has at most %d bytes",
                     EPI_MODEL_MAX);
  }
  result = epi__json_read(&root, json, len);
  if (result) {
    return result == EPI_EMODEL &&
                   epi__report_add(problems, "%s", epi_error_detail())
               ? EPI_ENOMEM
               : result;
  }
  result = epi_decision_new(&w.decision);
  if (!result) {
    result = run(&w, root);
  }
  if (!result) {
    block = epi__text_take(&w.out);
    result = block ? 0 : EPI_ENOMEM;
  }
  if (!result) {
    *out = block;
  }
  epi__text_clear(&w.out);
  epi_decision_free(w.decision);
  epi__json_free(root);
  return result ? result : (ptrdiff_t)w.failures;
}
