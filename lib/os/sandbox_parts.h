/* sandbox_parts.h: the parts of a sandbox, each a file of its own. They say in
 * text what they have done, or in the error detail why they could not. */
#ifndef EPI__SANDBOX_H
#define EPI__SANDBOX_H

#include "base/bytes.h"
#include "epi/sandbox.h"

#include <sys/types.h>

enum {
  EPI__SANDBOX_PATHS = 256,
  EPI__SANDBOX_GROUPS = 256,
};

/* A memory checker attaches to its own process, and reads /proc. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define EPI__SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EPI__SANITIZED 1
#endif
#endif
#ifndef EPI__SANITIZED
#define EPI__SANITIZED 0
#endif

typedef struct epi__sandbox_path {
  char *path;
  int access; /* EPI_SANDBOX_READ or _WRITE */
} epi__sandbox_path;

typedef struct epi__sandbox_paths {
  epi__sandbox_path items[EPI__SANDBOX_PATHS];
  size_t count;
} epi__sandbox_paths;

typedef struct epi__sandbox_user {
  int set;
  uid_t uid;
  gid_t gid;
  gid_t groups[EPI__SANDBOX_GROUPS];
  int group_count;
} epi__sandbox_user;

struct epi_sandbox {
  int wanted, required, keep, active;
  int entered;
  epi__sandbox_user user;
  epi__sandbox_paths files;   /* as they were asked for */
  epi__sandbox_paths folders; /* that are allowed for them */
  epi__text text;
};

/* ---- sandbox_allow.c ---- */

/* What of the files cannot be opened any more, now that the process is another
 * user or has no capabilities. */
void epi__sandbox_tell_lost(const epi__sandbox_paths *files, epi__text *text);

/* The folders, for people. */
void epi__sandbox_tell_folders(const epi__sandbox_paths *folders,
                               epi__text *text);

void epi__sandbox_paths_clear(epi__sandbox_paths *paths);

/* ---- sandbox_rights.c ---- */

/* Read NAME[:GROUP]. Returns 0, EPI_ENOENT or EPI_ELIMIT. */
int epi__sandbox_find_user(epi__sandbox_user *out, const char *text);

/* Become the user, if one is set, and with drop 1 drop all capabilities but
 * those that keep, EPI_SANDBOX_KEEP_*, needs. Returns 0, EPI_EPERM or
 * EPI_ESYS. */
int epi__sandbox_drop(const epi__sandbox_user *user, int drop, int keep,
                      epi__text *text);

/* No set-user-id program helps. Returns 0 or EPI_ENOTSUP. */
int epi__sandbox_gain_nothing(void);

/* No core file, and nobody may look. Returns 0 or EPI_ENOTSUP. */
int epi__sandbox_no_dump(void);

/* ---- sandbox_files.c ---- */

/* Leave this thread these folders and files, and what every program reads.
 * Returns 0, EPI_ENOTSUP (the kernel does not do that) or EPI_ESYS. */
int epi__sandbox_files(const epi__sandbox_paths *paths);

/* ---- sandbox_calls.c ---- */

/* Have system calls fail that are not needed. *count is how many. Returns 0,
 * EPI_ENOTSUP or EPI_ESYS. */
int epi__sandbox_calls(int keep, int *count);

#endif
