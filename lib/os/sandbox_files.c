/* sandbox_files.c: only some files, by landlock (Linux 5.13 and later). */
#include "os/sandbox_parts.h"

#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The headers at hand may be older than the kernel. */
enum {
  RIGHTS_1 = (1 << 13) - 1, /* all that version 1 knows */
  REFER = 1 << 13,          /* version 2: to another folder */
  TRUNCATE = 1 << 14,       /* version 3 */
  IOCTL_DEVICE = 1 << 15,   /* version 5 */
  SCOPE_SIGNAL = 1 << 1,    /* version 6: only to processes inside */
  VERSION_SCOPE = 6,

  READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
  WRITE = READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
          LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE |
          TRUNCATE,
  OF_A_FILE = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
              LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEVICE,
};

typedef struct ruleset {
  uint64_t files, ports, scoped;
} ruleset;

typedef struct beneath {
  uint64_t access;
  int32_t folder;
} __attribute__((packed)) beneath;

/* What programs read without being told to: how names are resolved, shared
 * objects and what they need, certificates of authorities, time zones. */
static const char *const for_all[] = {
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
};

static int version_of_kernel(void) {
  return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
                      LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t rights_of(int version) {
  return (uint64_t)RIGHTS_1 | (version >= 2 ? REFER : 0) |
         (version >= 3 ? TRUNCATE : 0) | (version >= 5 ? IOCTL_DEVICE : 0);
}

/* Allow what is at a path. What cannot be allowed stays closed: it is not
 * there, or nothing that has a place among files, as a pipe. */
static void add(int rules, const char *path, uint64_t access, uint64_t rights) {
  beneath rule = {access & rights, open(path, O_PATH | O_CLOEXEC)};
  struct stat info;

  if (rule.folder < 0) {
    return;
  }
  if (!fstat(rule.folder, &info)) {
    rule.access &= S_ISDIR(info.st_mode) ? rights : OF_A_FILE;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  }
  close(rule.folder);
}

/* A service that writes resolv.conf puts others in its place, in a folder of
 * its own, to which /etc has a link. */
static void add_resolver(int rules, uint64_t rights) {
  char *path = realpath("/etc/resolv.conf", NULL);
  char *end = path ? strrchr(path, '/') : NULL;

  if (end && end != path && strncmp(path, "/etc/", 5)) {
    *end = '\0';
    add(rules, path, READ, rights);
  }
  free(path); /* realpath() has taken it from the C library */
}

static void fill(int rules, uint64_t rights, const epi__sandbox_paths *paths) {
  for (size_t i = 0; i < sizeof for_all / sizeof *for_all; i++) {
    int writes = !strcmp(for_all[i], "/dev/null");

    add(rules, for_all[i], writes ? WRITE : READ, rights);
  }
  if (EPI__SANITIZED) {
    add(rules, "/proc", READ, rights);
  }
  add_resolver(rules, rights);
  for (size_t i = 0; i < paths->count; i++) {
    add(rules, paths->items[i].path,
        paths->items[i].access == EPI_SANDBOX_WRITE ? WRITE : READ, rights);
  }
}

int epi__sandbox_files(const epi__sandbox_paths *paths) {
  int version = version_of_kernel();
  ruleset set = {rights_of(version), 0,
                 version >= VERSION_SCOPE ? SCOPE_SIGNAL : 0};
  size_t size = version >= VERSION_SCOPE ? sizeof set : sizeof set.files;
  int rules, result = 0;

  if (version <= 0) {
    return epi__fail(EPI_ENOTSUP, errno == EOPNOTSUPP
                                      ? "landlock is switched off"
                                      : "the kernel has no landlock");
  }
  rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
  if (rules < 0) {
    return epi__fail(EPI_ESYS, "landlock: %s", strerror(errno));
  }
  fill(rules, set.files, paths);
  if (syscall(SYS_landlock_restrict_self, rules, 0)) {
    result = epi__fail(errno == E2BIG ? EPI_ENOTSUP : EPI_ESYS, "landlock: %s",
                       errno == E2BIG ? "16 sandboxes are around this one"
                                      : strerror(errno));
  }
  close(rules);
  return result;
}
