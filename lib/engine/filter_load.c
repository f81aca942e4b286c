/* filter_load.c: filters from shared objects, and which of them a model may
 * have. */
#include "engine/filter_load.h"

#include "base/fail.h"
#include "epi/engine.h"
#include "os/os.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
  VERSIONS = 99, /* of the interface, that are looked for to name them */
};

#define ENTRY "epi_filter_entry_"

/* Which version of the interface an object was made for, 0 for none. */
static int version_of(void *object) {
  char name[sizeof ENTRY + 8];

  for (int version = 1; version <= VERSIONS; version++) {
    snprintf(name, sizeof name, ENTRY "%d", version);
    if (epi__object_find(object, name)) {
      return version;
    }
  }
  return 0;
}

static int has_no_entry(void *object, const char *path) {
  int version = version_of(object);

  return version
             ? epi__fail(EPI_EVERSION,
                         "%s was made for version %d of the filter "
                         "interface; this is %d",
                         path, version, EPI_FILTER_INTERFACE)
             : epi__fail(EPI_EINVAL, "%s is no filter: it has no " ENTRY "%d",
                         path, EPI_FILTER_INTERFACE);
}

static int call_entry(void *object, const char *path, const char *args,
                      epi_filter **out) {
  int (*entry)(epi_filter * *out, const char *args);
  char name[sizeof ENTRY + 8], why[300];
  epi_filter *filter = NULL;
  void *found;
  int result;

  snprintf(name, sizeof name, ENTRY "%d", EPI_FILTER_INTERFACE);
  found = epi__object_find(object, name);
  if (!found) {
    return has_no_entry(object, path);
  }
  memcpy(&entry, &found, sizeof entry);
  epi__fail_forget();
  result = entry(&filter, args);
  if (result) {
    snprintf(why, sizeof why, "%s",
             *epi_error_detail() ? epi_error_detail() : epi_strerror(result));
    return epi__fail(result < 0 ? result : EPI_EFILTER, "%s: %s", path, why);
  }
  if (!filter) {
    return epi__fail(EPI_EFILTER, "%s made no filter", path);
  }
  *out = filter;
  return 0;
}

/* A filter's code has to stay as long as any thread may run it: what was
 * loaded and made a filter is never unloaded. */
static int load(epi_filter **out, const char *path, const char *args) {
  void *object = NULL;
  int result = epi__object_load(&object, path);

  if (result) {
    return result;
  }
  result = call_entry(object, path, args, out);
  if (result) {
    epi__object_unload(object);
  }
  return result;
}

/* Split PATH[:ARGS]. Returns the arguments, or NULL if path has no room. */
static const char *split(const char *spec, char *path, size_t size) {
  size_t len = strcspn(spec, ":");

  if (!len || len >= size) {
    return NULL;
  }
  memcpy(path, spec, len);
  path[len] = '\0';
  return spec[len] ? spec + len + 1 : "";
}

int epi_filter_new_from_file(epi_filter **out, const char *spec) {
  char path[PATH_MAX];
  const char *args = split(spec, path, sizeof path);

  return args ? load(out, path, args)
              : epi__fail(EPI_EINVAL, "a filter's file is PATH or PATH:ARGS");
}

int epi__filter_is_file(const char *spec) {
  size_t len = strcspn(spec, ":");

  return memchr(spec, '/', len) ||
         (len > 3 && !memcmp(spec + len - 3, ".so", 3));
}

int epi__filter_folder_check(const char *folder) {
  struct stat info;

  if (stat(folder, &info) || !S_ISDIR(info.st_mode)) {
    return epi__fail(EPI_ENOENT, "%s is no folder", folder);
  }
  return info.st_mode & S_IWOTH
             ? epi__fail(EPI_EPERM,
                         "everybody can put files into %s: chmod "
                         "o-w it",
                         folder)
             : 0;
}

int epi__filter_load_from(epi_filter **out, const char *spec,
                          const char *folder) {
  char name[NAME_MAX + 3], path[PATH_MAX];
  const char *args = split(spec, name, sizeof name);
  const char *plain = args && !strncmp(name, "./", 2) ? name + 2 : name;

  if (!folder) {
    return epi__fail(EPI_EDENIED,
                     "'%.*s' is a shared object, and no folder "
                     "of them is allowed to models",
                     (int)strcspn(spec, ":"), spec);
  }
  if (!args || !*plain || strchr(plain, '/')) {
    return epi__fail(EPI_EDENIED,
                     "'%.*s' is not the name of a file in the "
                     "folder that is allowed to models",
                     (int)strcspn(spec, ":"), spec);
  }
  if (snprintf(path, sizeof path, "%s/%s", folder, plain) >= (int)sizeof path) {
    return epi__fail(EPI_ELIMIT, "'%s' has too long a path", plain);
  }
  return load(out, path, args);
}
