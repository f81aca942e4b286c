/* shared_object.c: code that is loaded while the program runs. */
#include "base/fail.h"
#include "os/os.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_load(const char *path, const char *why) {
  return epi__fail(errno == ENOENT   ? EPI_ENOENT
                   : errno == EACCES ? EPI_EPERM
                                     : EPI_ESYS,
                   "cannot load %s: %s", path, why);
}

/* Nobody but the operator may have written what becomes part of the program. */
static int check_file(const char *path) {
  struct stat info;

  int fd;

  if (stat(path, &info)) {
    return cannot_load(path, strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    return epi__fail(EPI_EINVAL, "%s is not a file", path);
  }
  if (info.st_mode & S_IWOTH) {
    return epi__fail(EPI_EPERM, "everybody can change %s: chmod o-w it", path);
  }
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return cannot_load(path, epi__open_error(path));
  }
  close(fd);
  return 0;
}

int epi__object_load(void **out, const char *path) {
  int result = strchr(path, '/')
                   ? check_file(path)
                   : epi__fail(EPI_EINVAL, "%s is no path: it has no /", path);
  const char *why;

  if (result) {
    return result;
  }
  *out = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!*out) {
    why = dlerror();
    return epi__fail(EPI_EINVAL, "cannot load %s: %s", path,
                     why ? why : "it is no shared object");
  }
  return 0;
}

void *epi__object_find(void *object, const char *name) {
  return dlsym(object, name);
}

void epi__object_unload(void *object) {
  dlclose(object);
}
