/* diff.c: which flows of a list a new model opens, closes or leads elsewhere.
 */
#include "area/diff.h"
#include "area/flow_query.h"

#include "base/fail.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

int epi__diff_ask(epi__side *side, const epi_query *query) {
  int result;

  if (!side->model) {
    return 0;
  }
  result = epi_model_decide(side->model, query, side->decision);
  side->there = !result;
  if (result == EPI_ENOENT) { /* without what was perhaps meant */
    const char *detail = epi_error_detail();
    const char *more = strstr(detail, ", did you mean");

    snprintf(side->lacks, sizeof side->lacks, "%.*s",
             (int)(more ? more - detail : (ptrdiff_t)strlen(detail)), detail);
    result = 0;
  }
  return result;
}

/* Returns the kind of change, or an error. */
static int compare(epi__diff *diff, const epi_query *query) {
  int result = epi__diff_ask(&diff->is, query);

  if (!result) {
    result = epi__diff_ask(&diff->was, query);
  }
  if (result) {
    return result;
  }
  diff->compared++;
  return epi__diff_kind(diff);
}

int epi__diff_start(epi__diff *diff, epi_model *model, epi_model *old,
                    int form) {
  if (form != EPI_FORM_TEXT && form != EPI_FORM_JSON) {
    return epi__fail(EPI_EINVAL, "there is no form %d", form);
  }
  diff->form = form;
  diff->pairs = 1;
  diff->is.model = model;
  diff->was.model = old;
  return epi_decision_new(&diff->is.decision) ||
                 epi_decision_new(&diff->was.decision)
             ? EPI_ENOMEM
             : 0;
}

void epi__diff_begin(epi__diff *diff) {
  if (diff->form == EPI_FORM_JSON) {
    epi__text_printf(&diff->text, "{\"was\":\"%s\",\"is\":\"%s\",\"changes\":[",
                     diff->was.model ? diff->was.model->hash : "",
                     diff->is.model->hash);
  }
}

ptrdiff_t epi__diff_end(epi__diff *diff, int result, char **out) {
  char *block = NULL;

  if (!result && diff->form == EPI_FORM_JSON) {
    epi__text_printf(&diff->text, "],\"compared\":%zu,\"complete\":%s}",
                     diff->compared, diff->incomplete ? "false" : "true");
  } else if (!result && diff->incomplete) {
    epi__text_printf(&diff->text,
                     "not all was compared: over %d nodes that differ to the "
                     "models, or over %d flows of applications\n",
                     EPI_DIFF_NODES, EPI_DIFF_FLOWS);
  }
  if (!result) {
    block = epi__text_take(&diff->text);
    result = block ? 0 : EPI_ENOMEM;
  }
  if (!result) {
    *out = block;
  }
  epi__text_clear(&diff->text);
  epi_decision_free(diff->is.decision);
  epi_decision_free(diff->was.decision);
  return result ? result : (ptrdiff_t)(diff->changes + diff->ports);
}

ptrdiff_t epi_model_diff_flows(epi_model *model, epi_model *old,
                               epi_query *const *flows, size_t count, int form,
                               char **out) {
  epi__diff diff = {0};
  int result = epi__diff_start(&diff, model, old, form);

  if (!result) {
    epi__diff_begin(&diff);
  }
  for (size_t i = 0; i < count && !result; i++) {
    int kind = compare(&diff, flows[i]);

    if (kind > EPI__SAME) {
      epi__diff_put(&diff, kind, (ptrdiff_t)i);
    }
    result = kind < 0 ? kind : diff.text.failed ? EPI_ENOMEM : 0;
  }
  return epi__diff_end(&diff, result, out);
}
