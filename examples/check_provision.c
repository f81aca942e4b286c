/* check_provision.c: what must run for the flows of a model, for people. */
#include "check.h"

#include <stdio.h>
#include <string.h>

/* In front of an entry: how it differs from what the other model needs. */
static char sign(int change) {
  switch (change) {
  case EPI_PROVISION_ADDED:
    return '+';
  case EPI_PROVISION_REMOVED:
    return '-';
  case EPI_PROVISION_CHANGED:
    return '!';
  default:
    return ' ';
  }
}

static const char *plural(size_t count) {
  return count == 1 ? "" : "s";
}

/* How many instances the model says there may be, 0 if it does not say. */
static size_t limit_of(const epi_model *model, const char *function) {
  for (size_t i = 0; i < epi_model_function_count(model); i++) {
    if (!strcmp(epi_model_function_name(model, i), function)) {
      return (size_t)epi_model_function_instances(model, i);
    }
  }
  return 0;
}

static void print_needed(const epi_provision *list, size_t entry,
                         size_t limit) {
  const char *image = epi_provision_image(list, entry);
  const char *options = epi_provision_options(list, entry);
  size_t flows = epi_provision_flows(list, entry);
  size_t instances = epi_provision_instances(list, entry);
  size_t before = epi_provision_instances_before(list, entry);

  if (!flows) {
    printf("no longer needed");
  } else {
    printf("%zu instance%s, %zu flow%s", instances, plural(instances), flows,
           plural(flows));
  }
  if (flows && before && before != instances) {
    printf(" (was %zu)", before);
  }
  if (limit && instances > limit) {
    printf(", but there may be only %zu", limit);
  }
  printf("%s%s%s%s\n", image ? ", image " : "", image ? image : "",
         options ? ", options " : "", options ? options : "");
}

static void print_entries(const epi_provision *list, const epi_model *model,
                          int compared) {
  const char *under = NULL; /* the proxy that was printed last */

  if (!epi_provision_count(list)) {
    printf("No flow needs anything.\n");
  }
  for (size_t i = 0; i < epi_provision_count(list); i++) {
    const char *proxy = epi_provision_proxy(list, i);
    const char *function = epi_provision_function(list, i);
    const char *name = *proxy ? proxy : "the proxy";
    char mark = sign(epi_provision_change(list, i));

    if (compared) {
      printf("%c ", mark);
    }
    if (function && under && !strcmp(under, proxy)) {
      printf("  %s: ", function);
    } else if (function) { /* of a proxy that is needed still */
      printf("%s, %s: ", name, function);
      under = NULL;
    } else {
      printf("%s: ", name);
      under = proxy;
    }
    print_needed(list, i, function ? limit_of(model, function) : 0);
  }
}

int print_provision(epi_model *model, const check_options *opts,
                    epi_query *facts) {
  epi_provision *list = NULL;
  epi_model *before = NULL;
  char *text = NULL;
  int result = check_facts(facts, opts);

  if (!result && opts->diff) {
    result = read_model(&before, opts->diff);
  }
  if (!result && epi_provision_new(&list, model, before,
                                   opts->facts[EPI_QUERY_APPLICATION], facts)) {
    result = complain("--provision", epi_error_detail());
  }
  if (!result && opts->json) {
    int failed = epi_provision_write(list, &text);

    result = print_json(failed, text);
  } else if (!result) {
    print_entries(list, model, before != NULL);
  }
  epi_provision_free(list);
  epi_model_free(before);
  return result;
}
