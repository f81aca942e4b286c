/* filter_load.h: filters from shared objects, for models. */
#ifndef EPI__FILTER_LOAD_H
#define EPI__FILTER_LOAD_H

#include "epi/filter.h"

/* 1 if `NAME[:ARGS]` means a shared object: NAME has a / or ends in .so. */
int epi__filter_is_file(const char *spec);

/* May a folder hold filters for models? Returns 0, EPI_ENOENT (it is none) or
 * EPI_EPERM (everybody can put files there). */
int epi__filter_folder_check(const char *folder);

/* Make the filter that a model names by a file's name, from a folder alone;
 * folder NULL refuses it. Returns 0, EPI_EDENIED or as
 * epi_filter_new_from_file() does. */
int epi__filter_load_from(epi_filter **out, const char *spec,
                          const char *folder);

#endif
