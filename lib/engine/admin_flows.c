/* admin_flows.c: what admins ask about flows. */
#include "engine/admin_serve.h"

#include "base/fail.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  MOST = 100, /* flows of a list, unless asked for more or fewer */
};

static int has(const epi__admin_request *request, int argument) {
  return (int)(request->has >> argument & 1);
}

/* Read the criteria of a request. Returns 0 or an error; *count is how many
 * there are. */
static int read_match(epi_match **out, const epi__admin_request *request,
                      int *count) {
  epi_match *match = NULL;
  int result = epi_match_new(&match);
  char number[24];

  *count = 0;
  for (int i = EPI__ARG_FLOW; i <= EPI__ARG_APPLICATION && !result; i++) {
    int criterion = EPI_MATCH_FLOW + i - EPI__ARG_FLOW;

    if (!has(request, i)) {
      continue;
    }
    snprintf(number, sizeof number, "%" PRId64, request->numbers[i]);
    result = epi_match_set(match, criterion,
                           i == EPI__ARG_FLOW ? number : request->texts[i]);
    *count += 1;
  }
  if (result) {
    epi_match_free(match);
    return result;
  }
  *out = match;
  return 0;
}

/* Append what a call wrote. */
static int put(const epi__admin_task *task, int result, char *text) {
  if (!result) {
    epi__text_puts(task->out, text);
    epi__free(text);
  }
  return result;
}

int epi__admin_flows(const epi__admin_task *task) {
  const epi__admin_request *request = task->request;
  int64_t most =
      has(request, EPI__ARG_MOST) ? request->numbers[EPI__ARG_MOST] : MOST;
  epi_match *match;
  char *text = NULL;
  int count, result = read_match(&match, request, &count);

  if (result) {
    return result;
  }
  result =
      epi_engine_flows(task->engine, match, request->numbers[EPI__ARG_START],
                       most < 0 ? 0 : (size_t)most, &text);
  epi_match_free(match);
  return put(task, result, text);
}

int epi__admin_explain(const epi__admin_task *task) {
  char *text = NULL;
  int result = epi_engine_explain(task->engine,
                                  task->request->numbers[EPI__ARG_FLOW], &text);

  return put(task, result, text);
}

/* Who gives no criterion must say that he means all. */
static int check_meant(const epi__admin_request *request, int count) {
  int all = request->numbers[EPI__ARG_ALL] != 0;

  if (all && count) {
    return epi__fail(EPI_EINVAL, "kill: \"all\" takes no other criterion");
  }
  return all || count
             ? 0
             : epi__fail(EPI_EINVAL, "kill: needs a criterion, or \"all\"");
}

int epi__admin_kill(const epi__admin_task *task) {
  const epi__admin_request *request = task->request;
  char reason[EPI_REASON_MAX + 1];
  epi_match *match;
  ptrdiff_t killed;
  int count, result = read_match(&match, request, &count);

  if (result) {
    return result;
  }
  result = check_meant(request, count);
  if (!result && snprintf(reason, sizeof reason, "%s (user %lld)",
                          request->texts[EPI__ARG_REASON],
                          (long long)task->who->uid) >= (int)sizeof reason) {
    result = epi__fail(EPI_EINVAL, "kill: the reason is too long");
  }
  if (!result && !*request->texts[EPI__ARG_REASON]) {
    result = epi__fail(EPI_EINVAL, "kill: the reason is empty");
  }
  killed = result ? result : epi_engine_kill(task->engine, match, reason);
  epi_match_free(match);
  if (killed < 0) {
    return (int)killed;
  }
  epi__text_printf(task->out, "{\"killed\":%td}", killed);
  return 0;
}
