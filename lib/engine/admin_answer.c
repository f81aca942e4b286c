/* admin_answer.c: one request of an admin, and its reply. */
#include "engine/admin_serve.h"

#include "base/fail.h"
#include "base/net.h"
#include "epi/area.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  DETAIL_MAX = 512,
  PROBLEMS_MAX = 100, /* lines of a bad model that a reply has */
};

static int (*const tasks[EPI__ADMIN_COMMANDS])(const epi__admin_task *task) = {
    [EPI__ADMIN_STATUS] = epi__admin_status,
    [EPI__ADMIN_FLOWS] = epi__admin_flows,
    [EPI__ADMIN_EXPLAIN] = epi__admin_explain,
    [EPI__ADMIN_KILL] = epi__admin_kill,
    [EPI__ADMIN_MODEL] = epi__admin_model,
    [EPI__ADMIN_PLAN] = epi__admin_plan,
    [EPI__ADMIN_SET_MODEL] = epi__admin_set_model,
    [EPI__ADMIN_SETTINGS] = epi__admin_settings,
    [EPI__ADMIN_SET] = epi__admin_set,
    [EPI__ADMIN_LOG] = epi__admin_log,
    [EPI__ADMIN_DRAIN] = epi__admin_drain,
    [EPI__ADMIN_LISTENERS] = epi__admin_listeners,
    [EPI__ADMIN_LISTEN] = epi__admin_listen,
    [EPI__ADMIN_UNLISTEN] = epi__admin_unlisten,
    [EPI__ADMIN_RELISTEN] = epi__admin_relisten,
    [EPI__ADMIN_INSTANCES] = epi__admin_instances,
    [EPI__ADMIN_METRICS] = epi__admin_metrics,
    [EPI__ADMIN_RELOAD] = epi__admin_reload,
};

static void begin(epi__text *out, const epi__admin_request *request, int ok) {
  epi__text_printf(out, "{\"epi\":%d", EPI__ADMIN_VERSION);
  if (request && request->has_id) {
    epi__text_printf(out, ",\"id\":%" PRId64, request->id);
  }
  epi__text_printf(out, ",\"ok\":%s", ok ? "true" : "false");
}

static void put_problems(epi__text *out, const epi_report *problems) {
  size_t count = epi_report_count(problems);

  epi__text_puts(out, ",\"problems\":[");
  for (size_t i = 0; i < count && i < PROBLEMS_MAX; i++) {
    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, epi_report_line(problems, i));
  }
  epi__text_puts(out, "]");
}

void epi__admin_complain(epi__text *out, const epi__admin_request *request,
                         int code, const epi_report *problems) {
  char detail[DETAIL_MAX];

  epi__printable(detail, sizeof detail, epi_error_detail());
  begin(out, request, 0);
  epi__text_printf(out, ",\"code\":%d,\"message\":", code);
  epi__json_put_string(out, *detail ? detail : epi_strerror(code));
  if (problems && epi_report_count(problems)) {
    put_problems(out, problems);
  }
  epi__text_puts(out, "}\n");
}

/* A URL may have a password where none belongs. */
static void put_text(epi__text *out, int argument, const char *text) {
  char shown[EPI__URL_MAX];

  epi__text_puts(out, argument == EPI__ARG_URL || argument == EPI__ARG_BY
                          ? epi__url_public(text, shown, sizeof shown)
                          : text);
}

/* Who did what, and to what. */
static void tell(epi_engine *engine, const epi__admin_request *request,
                 const epi__unix_peer *who, int result) {
  epi__text words = {0};

  for (int i = 0; i < EPI__ARGS; i++) {
    if (!(request->has >> i & 1) || i == EPI__ARG_DOCUMENT) {
      continue;
    }
    epi__text_printf(&words, " %s=", epi__admin_argument_name(i));
    if (request->texts[i]) {
      put_text(&words, i, request->texts[i]);
    } else {
      epi__text_printf(&words, "%" PRId64, request->numbers[i]);
    }
  }
  epi__log(engine, EPI_LOG_NOTE,
           "admin: %s%.400s by process %lld of user %lld%s%s",
           epi__admin_command_name(request->command),
           words.block && !words.failed ? words.block : "", (long long)who->pid,
           (long long)who->uid, result < 0 ? ": " : "",
           result < 0 ? epi_error_detail() : "");
  epi__text_clear(&words);
}

/* To show the level of the log changes nothing. */
static int is_told(const epi__admin_request *request) {
  return epi__admin_changes(request->command) &&
         (request->command != EPI__ADMIN_LOG || request->texts[EPI__ARG_LEVEL]);
}

static int carry_out(epi__admin_task *task) {
  const epi__admin_request *request = task->request;
  int result = epi_report_new(&task->problems);
  char detail[DETAIL_MAX];

  if (!result) {
    result = tasks[request->command](task);
  }
  if (is_told(request)) {
    snprintf(detail, sizeof detail, "%s", epi_error_detail());
    tell(task->engine, request, task->who, result);
    if (result) {
      epi__fail(result, "%s", detail);
    }
  }
  return result;
}

void epi__admin_answer(epi_engine *engine, const epi__unix_peer *who,
                       const void *line, size_t len, epi__text *out) {
  epi__admin_request request;
  epi__text value = {0};
  epi__admin_task task = {engine, who, &request, &value, NULL};
  int result = epi__admin_request_read(&request, line, len);

  if (!result) {
    result = carry_out(&task);
  }
  if (!result && value.failed) {
    result = epi__fail(EPI_ENOMEM, "no memory for the reply");
  }
  if (result) {
    epi__admin_complain(out, &request, result, task.problems);
  } else {
    begin(out, &request, 1);
    epi__text_puts(out, ",\"result\":");
    epi__text_add(out, value.block ? value.block : "null",
                  value.block ? value.len : 4);
    epi__text_puts(out, "}\n");
  }
  epi__text_clear(&value);
  epi_report_free(task.problems);
  epi__admin_request_clear(&request);
}
