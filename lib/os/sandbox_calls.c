/* sandbox_calls.c: system calls that a proxy never makes, by seccomp.
 *
 * A list of what is refused, and not of what is allowed: the libraries below
 * this one choose their calls anew with each version, and a proxy that dies of
 * an upgrade of the C library is no gain. Refused is what reaches beyond the
 * process: other processes, the kernel, mounts, keys, and what has been a way
 * out of sandboxes. It fails with EPERM; what only an attacker calls ends the
 * process. */
#include "os/sandbox_parts.h"

#include "base/fail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32          0x40000000u /* bit of the numbers of another interface */
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef ARCHITECTURE

int epi__sandbox_calls(int keep, int *count) {
  (void)keep;
  (void)count;
  return epi__fail(EPI_ENOTSUP, "no list for this processor");
}

#else

enum {
  PROGRAM_MAX = 400,
  EVERY_NAMESPACE = 0x7e020000, /* of clone(): CLONE_NEWNS and the others */
  IOCTL_STI = 0x5412,           /* TIOCSTI: type on a terminal */
  IOCTL_LINUX = 0x541c,
  IOCTL_NET_FIRST = 0x890b, /* SIOCADDRT */
  IOCTL_NET_LAST = 0x89ff,
  IOCTL_NAME = 0x8910, /* SIOCGIFNAME */
  IOCTL_INDEX = 0x8933,
  TABLE_REPLACE = 64, /* IPT_SO_SET_REPLACE, of IPv4 and IPv6 */
  TABLE_COUNTERS = 65,
  TABLES_MORE = 96, /* from here on: those of ARP, bridges, balancers, routes */
};

/* Numbers of calls that old headers do not name; the same everywhere. */
enum {
  CALL_IO_URING_SETUP = 425, /* its work passes by seccomp */
  CALL_IO_URING_ENTER = 426,
  CALL_IO_URING_REGISTER = 427,
  CALL_OPEN_TREE = 428,
  CALL_MOVE_MOUNT = 429,
  CALL_FSOPEN = 430,
  CALL_FSCONFIG = 431,
  CALL_FSMOUNT = 432,
  CALL_FSPICK = 433,
  CALL_PIDFD_GETFD = 438,
  CALL_PROCESS_MADVISE = 440,
  CALL_MOUNT_SETATTR = 442,
  CALL_OPEN_TREE_ATTR = 467,
};

/* Nothing that is linked here has a use for these: who calls them has taken the
 * process over. */
static const int hostile[] = {
    SYS_delete_module,
    SYS_finit_module,
    SYS_init_module,
    SYS_kexec_load,
    SYS_pivot_root,
    SYS_reboot,
    SYS_swapoff,
    SYS_swapon,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
};

static const int refused[] = {
    SYS_acct,
    SYS_add_key,
    SYS_adjtimex,
    SYS_bpf,
    SYS_chroot,
    SYS_clock_adjtime,
    SYS_clock_settime,
    SYS_fanotify_init,
    SYS_kcmp,
    SYS_keyctl,
    SYS_lookup_dcookie,
    SYS_mount,
    SYS_name_to_handle_at,
    SYS_nfsservctl,
    SYS_open_by_handle_at,
    SYS_perf_event_open,
    SYS_personality,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_quotactl,
    SYS_request_key,
    SYS_setdomainname,
    SYS_sethostname,
    SYS_setns,
    SYS_settimeofday,
    SYS_syslog,
    SYS_umount2,
    SYS_unshare,
    SYS_userfaultfd,
    SYS_vhangup,
    SYS_mknodat,
#ifdef SYS_mknod
    SYS_mknod,
#endif
#ifdef SYS_modify_ldt
    SYS_modify_ldt,
#endif
#ifdef SYS_uselib
    SYS_uselib,
    SYS__sysctl,
    SYS_create_module,
    SYS_get_kernel_syms,
    SYS_query_module,
    SYS_ustat,
    SYS_sysfs,
#endif
    CALL_IO_URING_SETUP,
    CALL_IO_URING_ENTER,
    CALL_IO_URING_REGISTER,
    CALL_OPEN_TREE,
    CALL_MOVE_MOUNT,
    CALL_FSOPEN,
    CALL_FSCONFIG,
    CALL_FSMOUNT,
    CALL_FSPICK,
    CALL_PIDFD_GETFD,
    CALL_PROCESS_MADVISE,
    CALL_MOUNT_SETATTR,
    CALL_OPEN_TREE_ATTR,
};

/* Older kernels slow the whole process down for a filter, against code that it
 * would compile from strangers' programs: SECCOMP_FILTER_FLAG_SPEC_ALLOW. */
#define KEEP_SPEED (1UL << 2)

typedef struct program {
  struct sock_filter steps[PROGRAM_MAX];
  size_t count;
  int calls; /* that it refuses */
} program;

static void step(program *p, unsigned code, unsigned k, size_t then,
                 size_t otherwise) {
  if (p->count < PROGRAM_MAX) {
    p->steps[p->count++] = (struct sock_filter){(uint16_t)code, (uint8_t)then,
                                                (uint8_t)otherwise, k};
  }
}

static void answer(program *p, unsigned what) {
  step(p, BPF_RET | BPF_K, what, 0, 0);
}

static void allow(program *p) {
  answer(p, SECCOMP_RET_ALLOW);
}

static void refuse(program *p, int error) {
  answer(p, SECCOMP_RET_ERRNO | (unsigned)error);
}

static void kill_it(program *p) {
  answer(p, SECCOMP_RET_KILL_PROCESS);
}

static void load(program *p, size_t offset) {
  step(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

/* The low half of an argument: those that are looked at here are ints, of which
 * the kernel itself takes no more. Both processors have it first. */
static void load_argument(program *p, size_t argument) {
  load(p, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));
}

static void load_number(program *p) {
  load(p, offsetof(struct seccomp_data, nr));
}

/* Go past so many steps if what was loaded is not this; and if it is. */
static void unless(program *p, unsigned is, size_t past) {
  step(p, BPF_JMP | BPF_JEQ | BPF_K, is, 0, past);
}

static void when(program *p, unsigned is, size_t past) {
  step(p, BPF_JMP | BPF_JEQ | BPF_K, is, past, 0);
}

static void refuse_call(program *p, int number, int error) {
  unless(p, (unsigned)number, 1);
  refuse(p, error);
  p->calls++;
}

/* Another architecture's calls have other numbers. */
static void check_interface(program *p) {
  load(p, offsetof(struct seccomp_data, arch));
  when(p, ARCHITECTURE, 1);
  kill_it(p);
  load_number(p);
#ifdef X32
  step(p, BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1);
  kill_it(p);
#endif
}

/* A block of steps about a call's arguments: where it began, to be ended once
 * its length is known. */
static size_t begin_call(program *p, int number) {
  unless(p, (unsigned)number, 0);
  return p->count - 1;
}

static void end_call(program *p, size_t begun) {
  allow(p);
  p->steps[begun].jf = (uint8_t)(p->count - begun - 1);
}

/* Sockets of the Internet and of this machine; none that makes up packets, or
 * speaks to the kernel. */
static void check_socket(program *p, int keep) {
  size_t begun = begin_call(p, SYS_socket);
  int redirects = keep & EPI_SANDBOX_KEEP_REDIRECT;

  load_argument(p, 0);
  when(p, AF_INET, redirects ? 4 : 3);
  when(p, AF_INET6, redirects ? 3 : 2);
  when(p, AF_UNIX, redirects ? 2 : 1);
  if (redirects) {
    when(p, AF_NETLINK, 1);
  }
  refuse(p, EAFNOSUPPORT);
  if (!redirects) {
    load_argument(p, 1);
    step(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    unless(p, SOCK_RAW, 1);
    refuse(p, EPERM);
    unless(p, SOCK_PACKET, 1);
    refuse(p, EPERM);
  }
  end_call(p, begun);
}

/* What capabilities for marks would allow beside them: tables of netfilter,
 * addresses and routes; and typing on the terminal. */
static void check_setsockopt(program *p) {
  size_t begun = begin_call(p, SYS_setsockopt);

  load_argument(p, 1);
  when(p, 0, 2);  /* SOL_IP */
  when(p, 41, 1); /* SOL_IPV6 */
  allow(p);
  load_argument(p, 2);
  when(p, TABLE_REPLACE, 2);
  when(p, TABLE_COUNTERS, 1);
  step(p, BPF_JMP | BPF_JGE | BPF_K, TABLES_MORE, 0, 1);
  refuse(p, EPERM);
  end_call(p, begun);
}

static void check_ioctl(program *p, int keep) {
  size_t begun = begin_call(p, SYS_ioctl);

  load_argument(p, 1);
  when(p, IOCTL_STI, 1);
  unless(p, IOCTL_LINUX, 1);
  refuse(p, EPERM);
  if (!(keep & EPI_SANDBOX_KEEP_REDIRECT)) {
    when(p, IOCTL_NAME, 4);
    when(p, IOCTL_INDEX, 3);
    step(p, BPF_JMP | BPF_JGE | BPF_K, IOCTL_NET_FIRST, 0, 2);
    step(p, BPF_JMP | BPF_JGT | BPF_K, IOCTL_NET_LAST, 1, 0);
    refuse(p, EPERM);
  }
  end_call(p, begun);
}

/* Threads and processes, but no namespaces. What clone3() is asked for cannot
 * be seen from here: the C library goes back to clone(). */
static void check_clone(program *p) {
  size_t begun = begin_call(p, SYS_clone);

  load_argument(p, 0);
  step(p, BPF_JMP | BPF_JSET | BPF_K, EVERY_NAMESPACE, 0, 1);
  refuse(p, EPERM);
  end_call(p, begun);
#ifdef SYS_clone3
  refuse_call(p, SYS_clone3, ENOSYS);
#endif
}

static void make(program *p, int keep) {
  check_interface(p);
  check_socket(p, keep);
  if (!(keep & EPI_SANDBOX_KEEP_REDIRECT)) {
    check_setsockopt(p);
  }
  check_ioctl(p, keep);
  check_clone(p);
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    unless(p, (unsigned)hostile[i], 1);
    kill_it(p);
    p->calls++;
  }
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    refuse_call(p, refused[i], EPERM);
  }
  if (!EPI__SANITIZED) {
    refuse_call(p, SYS_ptrace, EPERM);
  }
  if (!(keep & EPI_SANDBOX_KEEP_PROGRAMS)) {
    refuse_call(p, SYS_execve, EPERM);
    refuse_call(p, SYS_execveat, EPERM);
  }
  allow(p);
}

int epi__sandbox_calls(int keep, int *count) {
  program p = {.count = 0};
  struct sock_fprog whole = {.filter = p.steps};
  int result;

  make(&p, keep);
  whole.len = (unsigned short)p.count;
  if (p.count == PROGRAM_MAX) {
    return epi__fail(EPI_ENOTSUP, "the list is too long");
  }
  result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                        SECCOMP_FILTER_FLAG_TSYNC | KEEP_SPEED, &whole);
  if (result) { /* an errno, or a thread that has another filter */
    return epi__fail(EPI_ENOTSUP, "%s",
                     result > 0        ? "a thread has its own filter"
                     : errno == EINVAL ? "the kernel has no seccomp"
                                       : strerror(errno));
  }
  *count = p.calls;
  return 0;
}

#endif
