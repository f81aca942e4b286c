/* sandbox_rights.c: user, groups and capabilities. There is no libcap here: of
 * capset() and prctl() it would be a thin coat. */
#include "os/sandbox_parts.h"

#include "base/fail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  LAST_CAPABILITY = 63,
  NAME_MAX_BYTES = 255,
};

typedef struct capabilities {
  uint64_t effective, permitted;
} capabilities;

static uint64_t bit(int capability) {
  return (uint64_t)1 << capability;
}

/* ---- the user ---- */

/* A whole number that no user or group of no meaning has. */
static int read_id(const char *text, uint32_t *out) {
  char *end;
  unsigned long long value;

  errno = 0;
  value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno || value >= UINT32_MAX) {
    return 0;
  }
  *out = (uint32_t)value;
  return 1;
}

static int find_group(epi__sandbox_user *out, const char *name) {
  const struct group *entry = getgrnam(name);
  uint32_t id;

  if (entry) {
    out->gid = entry->gr_gid;
  } else if (read_id(name, &id)) {
    out->gid = id;
  } else {
    return epi__fail(EPI_ENOENT, "there is no group '%.80s'", name);
  }
  out->groups[0] = out->gid;
  out->group_count = 1;
  return 0;
}

static int find_groups(epi__sandbox_user *out, const char *name) {
  int count = EPI__SANDBOX_GROUPS;

  if (getgrouplist(name, out->gid, out->groups, &count) < 0) {
    return epi__fail(EPI_ELIMIT, "user '%.80s' is in over %d groups", name,
                     EPI__SANDBOX_GROUPS);
  }
  out->group_count = count;
  return 0;
}

int epi__sandbox_find_user(epi__sandbox_user *out, const char *text) {
  const char *colon = strchr(text, ':');
  size_t len = colon ? (size_t)(colon - text) : strlen(text);
  epi__sandbox_user user = {.set = 1};
  char name[NAME_MAX_BYTES + 1] = "";
  const struct passwd *entry;
  uint32_t id = 0;
  int result;

  if (len <= NAME_MAX_BYTES) {
    memcpy(name, text, len);
  }
  entry = getpwnam(name);
  if (!entry && read_id(name, &id)) {
    user.uid = id;
    entry = getpwuid(id);
    if (!entry && !colon) {
      return epi__fail(EPI_ENOENT,
                       "user %s has no name, so say its group: %s:GROUP", name,
                       name);
    }
  } else if (!entry) {
    return epi__fail(EPI_ENOENT, "there is no user '%.80s'", name);
  }
  if (entry) {
    user.uid = entry->pw_uid;
    user.gid = entry->pw_gid;
  }
  result =
      colon ? find_group(&user, colon + 1) : find_groups(&user, entry->pw_name);
  if (!result) {
    *out = user;
  }
  return result;
}

static int cannot_become(const epi__sandbox_user *user) {
  return epi__fail(errno == EPERM ? EPI_EPERM : EPI_ESYS,
                   "cannot become user %u, group %u: %s", (unsigned)user->uid,
                   (unsigned)user->gid, strerror(errno));
}

/* Is one that user already? Without privileges it cannot be asked for more. */
static int is_user(const epi__sandbox_user *user) {
  uid_t real, effective, saved;
  gid_t group, effective_group, saved_group;

  return !getresuid(&real, &effective, &saved) &&
         !getresgid(&group, &effective_group, &saved_group) &&
         real == user->uid && effective == user->uid && saved == user->uid &&
         group == user->gid && effective_group == user->gid &&
         saved_group == user->gid;
}

static int become(const epi__sandbox_user *user) {
  if (is_user(user) && user->uid) {
    return 0;
  }
  if (setgroups((size_t)user->group_count, user->groups) ||
      setresgid(user->gid, user->gid, user->gid) ||
      setresuid(user->uid, user->uid, user->uid)) {
    return cannot_become(user);
  }
  return 0;
}

/* ---- capabilities ---- */

static int get(capabilities *out) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};

  if (syscall(SYS_capget, &header, data)) {
    return -1;
  }
  out->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
  out->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
  return 0;
}

/* Nothing is inheritable. */
static int set(const capabilities *to) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)to->effective, (uint32_t)to->permitted, 0},
      {(uint32_t)(to->effective >> 32), (uint32_t)(to->permitted >> 32), 0},
  };

  return syscall(SYS_capset, &header, data) ? -1 : 0;
}

/* May a socket be marked with one capability alone? */
static int marks_with(const capabilities *now, int capability) {
  capabilities less = {bit(capability), now->permitted};
  uint32_t mark = 1;
  int fd, done = 0;

  if (!(now->permitted & bit(capability)) || set(&less)) {
    return 0;
  }
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    done = !setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
    close(fd);
  }
  return !set(now) && done;
}

/* The least that can mark: from Linux 5.17 on CAP_NET_RAW, with which little
 * else is left to do, for the system calls that it is for are refused. */
static uint64_t for_marks(const capabilities *now) {
  return marks_with(now, CAP_NET_RAW)     ? bit(CAP_NET_RAW)
         : marks_with(now, CAP_NET_ADMIN) ? bit(CAP_NET_ADMIN)
                                          : 0;
}

static uint64_t needed(const capabilities *now, int keep) {
  uint64_t out = 0;

  if (keep & EPI_SANDBOX_KEEP_MARKS) {
    out |= for_marks(now);
  }
  if (keep & EPI_SANDBOX_KEEP_LOW_PORTS) {
    out |= bit(CAP_NET_BIND_SERVICE);
  }
  if (keep & EPI_SANDBOX_KEEP_REDIRECT) {
    out |= bit(CAP_NET_ADMIN) | bit(CAP_NET_RAW);
  }
  return out & now->permitted;
}

/* So that no program that is run can have more. It takes CAP_SETPCAP; without
 * it, gaining nothing has to do. */
static void bound(uint64_t kept) {
  for (int i = 0; i <= LAST_CAPABILITY; i++) {
    if (!(kept & bit(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) &&
        errno == EINVAL) {
      break; /* the kernel has no more of them */
    }
  }
}

static void tell_kept(epi__text *text, uint64_t kept, int keep) {
  static const struct {
    int capability;
    const char *name;
  } names[] = {{CAP_NET_ADMIN, "net_admin"},
               {CAP_NET_BIND_SERVICE, "net_bind_service"},
               {CAP_NET_RAW, "net_raw"}};
  const char *before = "capabilities: ";

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (kept & bit(names[i].capability)) {
      epi__text_printf(text, "%s%s", before, names[i].name);
      before = ", ";
    }
  }
  epi__text_puts(text, kept ? "" : "capabilities: none");
  if (keep & EPI_SANDBOX_KEEP_MARKS &&
      !(kept & (bit(CAP_NET_RAW) | bit(CAP_NET_ADMIN)))) {
    epi__text_puts(text,
                   " (own connections have no mark: without CAP_NET_RAW a "
                   "redirector here would take them, too)");
  }
}

static int cannot_drop(void) {
  return epi__fail(EPI_ESYS, "cannot drop capabilities: %s", strerror(errno));
}

int epi__sandbox_drop(const epi__sandbox_user *user, int drop, int keep,
                      epi__text *text) {
  capabilities now, then = {0};
  uint64_t kept = 0;

  if (get(&now)) {
    return cannot_drop();
  }
  if (drop) {
    kept = needed(&now, keep);
    bound(kept);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  }
  if (user->set && drop && kept && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) {
    return cannot_drop();
  }
  if (user->set && become(user)) {
    return EPI_EPERM;
  }
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  if (!drop) {
    return 0;
  }
  then.effective = then.permitted = kept;
  if (set(&then) || get(&now) || now.permitted != kept) {
    return cannot_drop();
  }
  tell_kept(text, kept, keep);
  return 0;
}

int epi__sandbox_gain_nothing(void) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
             ? epi__fail(EPI_ENOTSUP, "%s", strerror(errno))
             : 0;
}

int epi__sandbox_no_dump(void) {
  if (EPI__SANITIZED) {
    return epi__fail(EPI_ENOTSUP, "a build with sanitizers");
  }
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
             ? epi__fail(EPI_ENOTSUP, "%s", strerror(errno))
             : 0;
}
