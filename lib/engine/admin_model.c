/* admin_model.c: what admins ask about the model, and how they change it. */
#include "engine/admin_serve.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

enum {
  MOST = 100, /* flows of a plan, unless asked for more or fewer */
};

static int read_model(const epi__admin_task *task, epi_model **out) {
  const char *text = task->request->texts[EPI__ARG_DOCUMENT];

  return epi_model_read(out, task->problems, text, strlen(text));
}

/* `model`, its hash, and `by`, who set it. */
int epi__admin_model(const epi__admin_task *task) {
  epi_model *model = epi_engine_model(task->engine);
  char *document = NULL;
  int result = model ? epi_model_write(model, &document) : 0;

  if (!result && !model) {
    epi__text_puts(task->out, "{\"hash\":null,\"by\":null,\"document\":null}");
  } else if (!result) {
    epi__text_printf(
        task->out,
        "{\"hash\":\"%s\",\"by\":\"%s\",\"document\":", epi_model_hash(model),
        atomic_load(&task->engine->model_by_admin) ? "admin" : "program");
    epi__text_puts(task->out, document);
    epi__text_puts(task->out, "}");
  }
  epi__free(document);
  epi_model_free(model);
  return result;
}

/* What the model changes besides. */
static int put_changes(const epi__admin_task *task, epi_model *model) {
  epi_model *was = epi_engine_model(task->engine);
  char *changes = NULL;
  ptrdiff_t count =
      was ? epi_model_diff(model, was, EPI_FORM_JSON, &changes) : 0;

  if (count >= 0) {
    epi__text_puts(task->out, ",\"changes\":");
    epi__text_puts(task->out, changes ? changes : "null");
    epi__text_puts(task->out, "}");
  }
  epi__free(changes);
  epi_model_free(was);
  return count < 0 ? (int)count : 0;
}

int epi__admin_plan(const epi__admin_task *task) {
  const epi__admin_request *request = task->request;
  int64_t most = request->has >> EPI__ARG_MOST & 1
                     ? request->numbers[EPI__ARG_MOST]
                     : MOST;
  epi_model *model;
  char *plan = NULL;
  int result = read_model(task, &model);

  if (result) {
    return result;
  }
  result =
      epi_engine_plan(task->engine, model, most < 0 ? 0 : (size_t)most, &plan);
  if (!result && !request->numbers[EPI__ARG_CHANGES]) {
    epi__text_puts(task->out, plan);
  } else if (!result) { /* one more member, before the last brace */
    epi__text_add(task->out, plan, strlen(plan) - 1);
    result = put_changes(task, model);
  }
  epi__free(plan);
  epi_model_free(model);
  return result;
}

int epi__admin_set_model(const epi__admin_task *task) {
  epi_model *model;
  int result = read_model(task, &model);

  if (result) {
    return result;
  }
  result = epi__engine_give_model(task->engine, model, 1);
  if (!result) {
    epi__text_printf(task->out, "{\"hash\":\"%s\",\"by\":\"admin\"}",
                     epi_model_hash(model));
  }
  epi_model_free(model);
  return result;
}
