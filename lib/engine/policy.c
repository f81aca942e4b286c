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
  epi_filter *(*filters)[2]; /* by the number of the spec; [1] fails open */
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

/* The place of a function's filter, which functions that say the same share; or
 * NULL when out of memory. */
static epi_filter **place_of(epi__policy *policy, const char *spec,
                             int fails_open) {
  ptrdiff_t number = epi__names_find(&policy->specs, spec);

  if (number < 0) {
    number = epi__names_add(&policy->specs, spec);
  }
  return number < 0 ? NULL : &policy->filters[number][fails_open];
}

static int make_filters(epi__policy *policy, const supply *from) {
  size_t count = epi_model_function_count(policy->model);

  policy->filters = epi__alloc_array(count, sizeof *policy->filters);
  if (!policy->filters) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < count; i++) {
    const char *spec = epi_model_function_filter(policy->model, i);
    int open = epi_model_function_fails_open(policy->model, i);
    epi_filter **place;
    int result;

    if (!spec) {
      continue;
    }
    place = place_of(policy, spec, open);
    if (!place) {
      return EPI_ENOMEM;
    }
    if (*place) {
      continue;
    }
    result = make_filter(place, spec, from);
    if (result) {
      return epi__fail(result, "functions.%s.filter: %s",
                       epi_model_function_name(policy->model, i),
                       epi_error_detail());
    }
    epi_filter_set(*place, EPI_FILTER_FAIL_OPEN, open);
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
    epi_filter_free(policy->filters[i][0]);
    epi_filter_free(policy->filters[i][1]);
  }
  epi__free(policy->filters);
  epi__names_clear(&policy->specs);
  epi_model_free(policy->model);
  epi__free(policy);
}

epi_model *epi__policy_model(const epi__policy *policy) {
  return policy->model;
}

epi_filter *epi__policy_filter(const epi__policy *policy, const char *spec,
                               int fails_open) {
  ptrdiff_t number = epi__names_find(&policy->specs, spec);

  return number >= 0 ? policy->filters[number][fails_open] : NULL;
}
