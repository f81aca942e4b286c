/* sandbox_allow.c: the files that a sandbox leaves, and their folders. */
#include "os/sandbox_parts.h"

#include "base/fail.h"
#include "base/memory.h"
#include "filter/filter_args.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  TOLD = 8, /* folders that the text names */
};

/* Keep a path; one that is there already, to write if either is. */
static int keep(epi__sandbox_paths *paths, const char *path, int access) {
  char *copy;

  for (size_t i = 0; i < paths->count; i++) {
    epi__sandbox_path *item = &paths->items[i];

    if (!strcmp(item->path, path)) {
      item->access = item->access > access ? item->access : access;
      return 0;
    }
  }
  if (paths->count == EPI__SANDBOX_PATHS) {
    return epi__fail(EPI_ELIMIT, "over %d files", EPI__SANDBOX_PATHS);
  }
  copy = epi__strdup(path);
  if (!copy) {
    return EPI_ENOMEM;
  }
  paths->items[paths->count++] = (epi__sandbox_path){copy, access};
  return 0;
}

void epi__sandbox_paths_clear(epi__sandbox_paths *paths) {
  for (size_t i = 0; i < paths->count; i++) {
    epi__free(paths->items[i].path);
  }
  paths->count = 0;
}

/* A folder, by the path that leads to it without links. */
static int keep_folder(epi__sandbox_paths *paths, const char *folder,
                       const char *file, int access) {
  char real[PATH_MAX];

  if (!realpath(folder, real)) {
    return epi__fail(errno == ENOENT || errno == ENOTDIR ? EPI_ENOENT
                                                         : EPI_ESYS,
                     "the folder of %s: %s", file, strerror(errno));
  }
  return keep(paths, real, access);
}

/* The folder that a path is in, into a buffer of PATH_MAX. Returns 0, or -1 if
 * it is too long. */
static int find_folder(char *out, const char *path) {
  const char *slash = strrchr(path, '/');
  int len = slash && slash != path ? (int)(slash - path) : 1;

  return snprintf(out, PATH_MAX, "%.*s", len, slash ? path : ".") >= PATH_MAX
             ? -1
             : 0;
}

/* Is a folder a link to another one beside it, as `current` to `v1`? Then it
 * may lead to `v2` tomorrow: it is the folder of all of them that counts. */
static int leads_beside(const char *folder, char *parent) {
  char real[PATH_MAX], beside[PATH_MAX];
  struct stat info;

  return !lstat(folder, &info) && S_ISLNK(info.st_mode) &&
         realpath(folder, real) && !find_folder(beside, real) &&
         !find_folder(parent, folder) && realpath(parent, real) &&
         !strcmp(real, beside);
}

static int keep_folder_of(epi__sandbox_paths *paths, const char *file,
                          int access) {
  char folder[PATH_MAX], parent[PATH_MAX];

  if (find_folder(folder, file)) {
    return epi__fail(EPI_EINVAL, "the path is too long: %.80s", file);
  }
  return keep_folder(paths, leads_beside(folder, parent) ? parent : folder,
                     file, access);
}

/* The folder of a file, and that of what it is a link to. */
static int keep_folders(epi__sandbox_paths *paths, const char *file,
                        int access) {
  char real[PATH_MAX];
  int result = keep_folder_of(paths, file, access);

  return !result && realpath(file, real) ? keep_folder_of(paths, real, access)
                                         : result;
}

int epi_sandbox_allow(epi_sandbox *sandbox, const char *path, int access) {
  struct stat info;
  int is_there, result;

  if (sandbox->entered) {
    return epi__fail(EPI_ESTATE, "the sandbox was entered");
  }
  if (!path || !*path ||
      (access != EPI_SANDBOX_READ && access != EPI_SANDBOX_WRITE)) {
    return epi__fail(EPI_EINVAL, "a path may be read, or written");
  }
  if (!strcmp(path, "-") || epi__secret_is_variable(path)) {
    return 0;
  }
  is_there = !stat(path, &info);
  if (is_there && S_ISDIR(info.st_mode)) {
    result = keep_folder(&sandbox->folders, path, path, access);
  } else if (is_there && !S_ISREG(info.st_mode)) {
    result = keep(&sandbox->folders, path, access);
  } else {
    result = keep_folders(&sandbox->folders, path, access);
  }
  return result ? result : keep(&sandbox->files, path, access);
}

/* ---- filters ---- */

static int allow_argument(epi_sandbox *sandbox, const epi__filter_args *args,
                          int records) {
  if (!strcmp(args->key, "key")) {
    return epi_sandbox_allow(sandbox, args->value, EPI_SANDBOX_READ);
  }
  return strcmp(args->key, "file")
             ? 0
             : epi_sandbox_allow(sandbox, args->value,
                                 records ? EPI_SANDBOX_WRITE
                                         : EPI_SANDBOX_READ);
}

int epi_sandbox_allow_filter(epi_sandbox *sandbox, const char *spec) {
  size_t len = strcspn(spec, ":");
  int records = !strncmp(spec, "record:", 7);
  char path[PATH_MAX];
  epi__filter_args args;
  int result = 0;

  if (memchr(spec, '/', len)) {
    snprintf(path, sizeof path, "%.*s", (int)(len < PATH_MAX ? len : 0), spec);
    result = epi_sandbox_allow(sandbox, path, EPI_SANDBOX_READ);
  }
  epi__filter_args_begin(&args, spec[len] ? spec + len + 1 : "");
  while (!result && epi__filter_args_next(&args) > 0) {
    result = *args.value ? allow_argument(sandbox, &args, records) : 0;
  }
  epi_wipe(&args, sizeof args); /* secret=TEXT */
  return result;
}

/* ---- telling ---- */

static int is_refused(const char *path, int wanted) {
  return faccessat(AT_FDCWD, path, wanted, AT_EACCESS) &&
         (errno == EACCES || errno == EROFS);
}

/* A file to write is made anew when it was renamed, which takes its folder. */
static int is_lost(const epi__sandbox_path *file) {
  char folder[PATH_MAX];

  if (file->access == EPI_SANDBOX_READ) {
    return is_refused(file->path, R_OK);
  }
  return is_refused(file->path, R_OK | W_OK) ||
         (!find_folder(folder, file->path) && is_refused(folder, W_OK | X_OK));
}

void epi__sandbox_tell_lost(const epi__sandbox_paths *files, epi__text *text) {
  const char *before = "; CANNOT BE OPENED AGAIN by this user: ";

  for (size_t i = 0; i < files->count; i++) {
    if (is_lost(&files->items[i])) {
      epi__text_printf(text, "%s%s", before, files->items[i].path);
      before = ", ";
    }
  }
}

static void tell(const epi__sandbox_paths *folders, int access,
                 const char *before, epi__text *text) {
  size_t told = 0;

  for (size_t i = 0; i < folders->count; i++) {
    if (folders->items[i].access != access) {
      continue;
    }
    if (told++ < TOLD) {
      epi__text_printf(text, "%s%s", told == 1 ? before : ", ",
                       folders->items[i].path);
    }
  }
  if (told > TOLD) {
    epi__text_printf(text, " and %zu more", told - TOLD);
  }
}

void epi__sandbox_tell_folders(const epi__sandbox_paths *folders,
                               epi__text *text) {
  if (!folders->count) {
    epi__text_puts(text, " none");
  }
  tell(folders, EPI_SANDBOX_READ, " read ", text);
  tell(folders, EPI_SANDBOX_WRITE, " write ", text);
}
