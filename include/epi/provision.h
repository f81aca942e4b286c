/* provision.h: what must run for the flows of applications: which proxies, and
 * at each of them which functions, from which image, and how many.
 *
 * Only flows that may exist count. Starting the images is the work of whoever
 * asks. */
#ifndef EPI_PROVISION_H
#define EPI_PROVISION_H

#include "area.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_provision epi_provision;

/* How an entry differs from what the model before needed. */
#define EPI_PROVISION_SAME    1
#define EPI_PROVISION_ADDED   2
#define EPI_PROVISION_REMOVED 3 /* it is needed no longer */
#define EPI_PROVISION_CHANGED                                                  \
  4 /* the number, image, options, place or filter */

/* List what a model needs, and how that differs from what another needed.
 *
 * before may be NULL: then everything is added. application is a name, or NULL
 * for all applications; it may be missing from one of the models. facts may be
 * NULL; its purpose, dataset, user, consent and time hold for every flow, its
 * ends and its application play no part. The list holds both models.
 * Returns 0, EPI_ENOENT (neither model has the application) or EPI_ENOMEM. */
EPI_API int epi_provision_new(epi_provision **out, epi_model *model,
                              epi_model *before, const char *application,
                              const epi_query *facts);

/* End a list. NULL is fine. */
EPI_API void epi_provision_free(epi_provision *list);

/* The rest reads a list; texts live as long as it does. Entries count from 0;
 * past the end there is NULL, 0 or EPI_EINVAL. Proxies come in document order,
 * each before its functions, which do as well; what is needed no longer comes
 * last. */
EPI_API size_t epi_provision_count(const epi_provision *list);

/* The name of the entry's proxy, "" in a model without proxies; and of its
 * function, NULL if the entry is the proxy itself. */
EPI_API const char *epi_provision_proxy(const epi_provision *list,
                                        size_t entry);
EPI_API const char *epi_provision_function(const epi_provision *list,
                                           size_t entry);

/* The image and its options, as epi_model_function_image() and
 * epi_model_function_options() give them; NULL if there is none. */
EPI_API const char *epi_provision_image(const epi_provision *list,
                                        size_t entry);
EPI_API const char *epi_provision_options(const epi_provision *list,
                                          size_t entry);

/* How many flows pass the entry, and how many instances of it they need: 0 of
 * what is needed no longer. Each port that an application lists is a flow. */
EPI_API size_t epi_provision_flows(const epi_provision *list, size_t entry);
EPI_API size_t epi_provision_instances(const epi_provision *list, size_t entry);

/* How many the model before needed; 0 without one. */
EPI_API size_t epi_provision_instances_before(const epi_provision *list,
                                              size_t entry);

/* EPI_PROVISION_SAME ... EPI_PROVISION_CHANGED, or EPI_EINVAL; and the same as
 * a word. */
EPI_API int epi_provision_change(const epi_provision *list, size_t entry);
EPI_API const char *epi_provision_change_name(int change);

/* Write the list as JSON (doc/model.md). Free it with epi_free().
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_provision_write(const epi_provision *list, char **out);

#ifdef __cplusplus
}
#endif

#endif
