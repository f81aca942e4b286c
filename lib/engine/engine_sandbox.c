/* engine_sandbox.c: what an engine goes on to need, once it was set up. */
#include "base/net.h"
#include "engine/flow_audit.h"
#include "engine/listener.h"
#include "engine/provisioner.h"
#include "engine/tls_table.h"
#include "engine/worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Settings of URLs whose value is a file. */
static const char *const files[] = {
    "users",       "cert",   "key",   "ca",      "crl",    "staple",
    "credentials", "secret", "to-ca", "to-cert", "to-key", "to-crl"};

static int is_file(const char *setting) {
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    if (!strcmp(setting, files[i])) {
      return 1;
    }
  }
  return 0;
}

/* A file, or several with commas between them. `staple` is a file at a
 * listener, and a word at a hop: see what is there. */
static int allow_files(epi_sandbox *sandbox, const char *list) {
  char path[EPI__URL_MAX];
  struct stat info;
  int result = 0;

  while (!result && *list) {
    size_t len = strcspn(list, ",");

    snprintf(path, sizeof path, "%.*s", (int)len, list);
    if (!stat(path, &info)) {
      result = epi_sandbox_allow(sandbox, path, EPI_SANDBOX_READ);
    }
    list += len + (list[len] == ',');
  }
  return result;
}

static int allow_file(void *sandbox, const char *path) {
  return allow_files(sandbox, path);
}

static int allow_url(epi_sandbox *sandbox, const char *text) {
  epi__url url;
  int result = epi__url_parse(&url, text);

  for (size_t i = 0; !result && i < url.setting_count; i++) {
    if (is_file(url.settings[i].key)) {
      result = allow_files(sandbox, url.settings[i].value);
    }
  }
  epi_wipe(&url, sizeof url); /* a password */
  return result;
}

static int allow_model(epi_sandbox *sandbox, const epi_model *model) {
  size_t count = epi_model_function_count(model);
  int result = 0;

  for (size_t i = 0; i < count && !result; i++) {
    const char *spec = epi_model_function_filter(model, i);

    /* A shared object of a model is in the folder for that. */
    if (spec && !memchr(spec, '/', strcspn(spec, ":"))) {
      result = epi_sandbox_allow_filter(sandbox, spec);
    }
    for (size_t k = 0;
         !result && k < epi_model_function_endpoint_count(model, i); k++) {
      result = allow_url(sandbox, epi_model_function_endpoint(model, i, k));
    }
  }
  for (size_t i = 0; i < epi_model_proxy_count(model) && !result; i++) {
    const char *name = epi_model_proxy_name(model, i);
    const char *endpoint = epi_model_proxy_endpoint(model, name);

    result = endpoint ? allow_url(sandbox, endpoint) : 0;
  }
  return result;
}

/* Marks for a redirector here; low ports for what a model, or a listener that
 * is added later, may name. */
static int keep(const epi_engine *engine, epi_sandbox *sandbox) {
  int what = EPI_SANDBOX_KEEP_LOW_PORTS;

  if (engine->settings[EPI_ENGINE_MARK]) {
    what |= EPI_SANDBOX_KEEP_MARKS;
  }
  if (engine->provisioner->command) {
    what |= EPI_SANDBOX_KEEP_PROGRAMS;
  }
  return epi_sandbox_keep(sandbox, what);
}

int epi_engine_sandbox(const epi_engine *engine, epi_sandbox *sandbox) {
  const epi__listeners *list = engine->listeners;
  const char *audit = epi__audit_path(engine->audit);
  int result = keep(engine, sandbox);

  for (size_t i = 0; !result && i < list->count; i++) {
    if (list->items[i]->kind != EPI__LISTEN_PORT) {
      result = allow_url(sandbox, list->items[i]->url);
    }
  }
  if (!result) {
    result = epi__tls_table_each_file(engine->tls, allow_file, sandbox);
  }
  if (!result && engine->filter_path) {
    result = epi_sandbox_allow(sandbox, engine->filter_path, EPI_SANDBOX_READ);
  }
  if (!result && engine->policy) {
    result = allow_model(sandbox, epi__policy_model(engine->policy));
  }
  if (!result && audit) {
    result = epi_sandbox_allow(sandbox, audit, EPI_SANDBOX_WRITE);
  }
  return result;
}
