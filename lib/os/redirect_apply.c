/* redirect_apply.c: rules of a redirect, in the kernel, by either backend. */
#include "os/redirect_apply.h"

#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEEDS                                                                  \
  "changing or reading the rules needs CAP_NET_ADMIN: run as root or grant it"

/* Does this network namespace belong to a user namespace outside ours, where
 * our capabilities count for nothing? */
static int is_foreign(void) {
  int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  int owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);
  int foreign = net >= 0 && owner < 0 && errno == EPERM;

  if (owner >= 0) {
    close(owner);
  }
  if (net >= 0) {
    close(net);
  }
  return foreign;
}

/* Refuse early what would fail anyway: libnftables complains on standard error
 * then. */
static int check_privilege(void) {
  struct __user_cap_header_struct header = {.version =
                                                _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

  if (!syscall(SYS_capget, &header, data) &&
      !(data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective &
        CAP_TO_MASK(CAP_NET_ADMIN))) {
    return epi__fail(EPI_EPERM, NEEDS);
  }
  return is_foreign()
             ? epi__fail(EPI_EPERM, NEEDS " (this network namespace belongs to "
                                          "another user namespace)")
             : 0;
}

static int check(int backend) {
  if (backend != EPI_BACKEND_NFTABLES && backend != EPI_BACKEND_IPTABLES) {
    return epi__fail(EPI_EINVAL, "no backend %d", backend);
  }
  return check_privilege();
}

int epi_redirect_apply(const epi_redirect *redirect, int backend) {
  int error = check(backend);

  if (error) {
    return error;
  }
  return backend == EPI_BACKEND_NFTABLES ? epi__nft_apply(redirect)
                                         : epi__iptables_apply(redirect);
}

int epi_redirect_remove(int backend) {
  int error = check(backend);

  if (error) {
    return error;
  }
  return backend == EPI_BACKEND_NFTABLES ? epi__nft_remove()
                                         : epi__iptables_remove();
}

int epi_redirect_present(int backend) {
  int error = check(backend);

  if (error) {
    return error;
  }
  return backend == EPI_BACKEND_NFTABLES ? epi__nft_present()
                                         : epi__iptables_present();
}

/* The first line that is no comment, as iptables warns in comments. */
static size_t first_line(const char **words) {
  const char *line = *words;

  while (*line == '#' || *line == '\n') {
    line += strcspn(line, "\n");
    line += *line == '\n';
  }
  *words = line;
  return strcspn(line, "\n");
}

int epi__redirect_refused(const char *who, const char *words) {
  static const int absent[] = {EPROTONOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT};
  char line[320], shown[320];
  size_t len = first_line(&words);

  if (len >= sizeof line) {
    len = sizeof line - 1;
  }
  memcpy(line, words, len);
  line[len] = '\0';
  epi__printable(shown, sizeof shown, len ? line : "no reason given");
  /* Neither backend passes errno on; both print its text. */
  if (strstr(line, strerror(EPERM)) || strstr(line, strerror(EACCES))) {
    return epi__fail(EPI_EPERM, NEEDS " (%s: %s)", who, shown);
  }
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
    if (strstr(line, strerror(absent[i]))) {
      return epi__fail(EPI_ENOTSUP, "the kernel lacks support: %s: %s", who,
                       shown);
    }
  }
  return epi__fail(EPI_ESYS, "%s: %s", who, shown);
}
