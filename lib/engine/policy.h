/* policy.h: a model with the filters that it names, made ready: what an engine
 * judges by until it is given another. */
#ifndef EPI__POLICY_H
#define EPI__POLICY_H

#include "epi/area.h"
#include "epi/filter.h"

typedef struct epi__policy epi__policy;

/* Make every filter that the model's functions name. key is for those that
 * need one; folder is where its shared objects may be. Both may be NULL. The
 * model is referenced.
 *
 * Returns 0; another error, as those of epi_filter_new_builtin() and
 * epi__filter_load_from(), if a filter cannot be made (the detail names the
 * function); or EPI_ENOMEM. */
int epi__policy_new(epi__policy **out, epi_model *model, const void *key,
                    size_t key_len, const char *folder);

/* Hold once more, and let go; from any thread. */
epi__policy *epi__policy_ref(epi__policy *policy);
void epi__policy_free(epi__policy *policy);

epi_model *epi__policy_model(const epi__policy *policy);

/* The filter for `NAME[:ARGS]`, which fails open or closed; or NULL if no
 * function has that. */
epi_filter *epi__policy_filter(const epi__policy *policy, const char *spec,
                               int fails_open);

#endif
