/* policy.c: a model with its filters made ready. */
#include "engine/policy.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/names.h"
#include "engine/filter_load.h"
#include "epi/engine.h"

#include <stdatomic.h>

struct epi__policy {
  atomic_int references;
  epi_model *model;
  epi__names specs;
  epi_filter **filters; /* by the number of the spec */
};

/* What filters are made from, besides what the model says. */
typedef struct supply {
  const void *key;
  size_t key_len;
  const char *folder;
} supply;

static int make_filter(epi_filter **out, const char *spec, const supply *from) {
  return epi__filter_is_file(spec)
             ? epi__filter_load_from(out, spec, from->folder)
             : epi_filter_new_builtin(out, spec, from->key, from->key_len);
}

static int make_filters(epi__policy *policy, const supply *from) {
  size_t count = epi_model_function_count(policy->model);

  policy->filters = epi__alloc_array(count, sizeof *policy->filters);
  if (!policy->filters) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < count; i++) {
    const char *spec = epi_model_function_filter(policy->model, i);
    ptrdiff_t number;
    int result;

    if (!spec || epi__names_find(&policy->specs, spec) >= 0) {
      continue;
    }
    number = epi__names_add(&policy->specs, spec);
    if (number < 0) {
      return (int)number;
    }
    result = make_filter(&policy->filters[number], spec, from);
    if (result) {
      return epi__fail(result, "functions.%s.filter: %s",
                       epi_model_function_name(policy->model, i),
                       epi_error_detail());
    }
  }
  return 0;
}

int epi__policy_new(epi__policy **out, epi_model *model, const void *key,
                    size_t key_len, const char *folder) {
  epi__policy *policy = epi__alloc(sizeof *policy);
  supply from = {key, key_len, folder};
  int result;

  if (!policy) {
    return EPI_ENOMEM;
  }
  atomic_init(&policy->references, 1);
  policy->model = epi_model_ref(model);
  result = make_filters(policy, &from);
  if (result) {
    epi__policy_free(policy);
    return result;
  }
  *out = policy;
  return 0;
}

epi__policy *epi__policy_ref(epi__policy *policy) {
  if (policy) {
    atomic_fetch_add(&policy->references, 1);
  }
  return policy;
}

void epi__policy_free(epi__policy *policy) {
  if (!policy || atomic_fetch_sub(&policy->references, 1) > 1) {
    return;
  }
  for (size_t i = 0; policy->filters && i < policy->specs.count; i++) {
    epi_filter_free(policy->filters[i]);
  }
  epi__free(policy->filters);
  epi__names_clear(&policy->specs);
  epi_model_free(policy->model);
  epi__free(policy);
}

epi_model *epi__policy_model(const epi__policy *policy) {
  return policy->model;
}

epi_filter *epi__policy_filter(const epi__policy *policy, const char *spec) {
  ptrdiff_t number = epi__names_find(&policy->specs, spec);

  return number >= 0 ? policy->filters[number] : NULL;
}
