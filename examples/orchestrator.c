/* orchestrator.c: the infrastructure orchestrator of the paper's Fig. 1, small.
 *
 * `orchestrator MODEL APPLICATION` plans an application request, starts the
 * proxies that the plan needs, waits until each part answers, and says Ready,
 * or what cannot be bridged. A line of input names a changed model to plan by;
 * the end of input tears all down. */
#include <epi/epi.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 64, PATIENCE_MS = 5000 };

static struct part {
  char name[256];
  epi_engine *engine;
  int needed;
} parts[PARTS];
static size_t part_count;
static unsigned char key[32]; /* by which the proxies believe each other */

static int fail(const char *about) {
  return fprintf(stderr, "%s: %s\n", about, epi_error_detail()) > 0;
}

/* Step 6 of Fig. 1: a proxy starts to listen where the model says it is. */
static int start_proxy(epi_model *model, const char *name, const char *url) {
  struct part *part = parts;
  char listen[512];

  for (; part->engine && strcmp(part->name, name); part++) {
  }
  part->needed = 1;
  if (part->engine || part_count == PARTS - 1) {
    return !part->engine;
  }
  snprintf(part->name, sizeof part->name, "%s", name);
  snprintf(listen, sizeof listen, "socks%s", strstr(url, "://"));
  printf("starting %s at %s\n", name, url);
  part_count++;
  return epi_engine_new(&part->engine) ||
         epi_engine_set_name(part->engine, name) ||
         epi_engine_set_chain_key(part->engine, key, sizeof key) ||
         epi_engine_set_model(part->engine, model) ||
         epi_engine_listen(part->engine, listen) ||
         epi_engine_start(part->engine);
}

/* What one flow needs: proxies are started, and every endpoint awaited. */
static int provide(epi_model *model, const epi_plan *plan) {
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    const char *url = epi_plan_hop_endpoint(plan, hop);

    if (*url && (start_proxy(model, epi_plan_hop_proxy(plan, hop), url) ||
                 epi_endpoint_wait(url, PATIENCE_MS))) {
      return fail(url);
    }
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      url = epi_plan_function_endpoint(plan, hop, i); /* a container's */
      if (url && epi_endpoint_wait(url, PATIENCE_MS)) {
        return fail(url);
      }
    }
  }
  return 0;
}

/* Steps 2 to 7: judge the flows, provide what they need, stop the rest. */
static int deploy(epi_model *model, const char *application) {
  ptrdiff_t found = epi_model_application_find(model, application);
  int port, refused = 0, failed = found < 0;
  size_t from, to, app = (size_t)found;
  epi_decision *decision = NULL;
  epi_query *query = NULL;
  const char *source, *dest;

  if (failed) {
    fprintf(stderr, "%s: no such application in the model\n", application);
  }
  for (size_t i = 0; i < part_count; i++) {
    parts[i].needed = 0;
    failed |= epi_engine_set_model(parts[i].engine, model) != 0;
  }
  failed = failed || epi_query_new(&query) || epi_decision_new(&decision) ||
           epi_query_set(query, EPI_QUERY_APPLICATION, application);
  for (size_t i = 0;
       !failed && i < epi_model_application_flow_count(model, app); i++) {
    epi_model_application_flow(model, app, i, &from, &to, &port);
    source = epi_model_node_name(model, from);
    dest = epi_model_node_name(model, to);
    epi_query_set_time(query, time(NULL));
    failed = epi_query_set_from_node(query, source) ||
             epi_query_set_to_node(query, dest, port) ||
             epi_model_decide(model, query, decision);
    if (!failed && epi_decision_allowed(decision)) {
      failed = provide(model, epi_decision_plan(decision));
    } else if (!failed) {
      refused++;
      printf("%s > %s:%d refused: %s\n", source, dest, port,
             epi_decision_reason(decision));
    }
  }
  epi_decision_free(decision);
  epi_query_free(query);
  for (size_t i = part_count; i-- > 0;) {
    if (!parts[i].needed) {
      printf("stopped %s\n", parts[i].name);
      epi_engine_free(parts[i].engine);
      parts[i] = parts[--part_count];
      memset(&parts[part_count], 0, sizeof *parts);
    }
  }
  printf(failed ? "Failed\n" : refused ? "Not ready\n" : "Ready\n");
  return failed || refused;
}

int main(int argc, char **argv) {
  epi_model *model;
  char path[4096];
  int result;

  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc != 3 || getentropy(key, sizeof key)) {
    return fputs("usage: orchestrator MODEL APPLICATION\n", stderr), 2;
  }
  snprintf(path, sizeof path, "%s", argv[1]);
  do {
    path[strcspn(path, "\n")] = '\0';
    if (epi_model_read_file(&model, NULL, path)) {
      result = 1 + fail(path);
      continue;
    }
    result = deploy(model, argv[2]);
    epi_model_free(model); /* the engines hold it */
  } while (fgets(path, sizeof path, stdin));
  while (part_count) {
    epi_engine_free(parts[--part_count].engine);
  }
  return result;
}
