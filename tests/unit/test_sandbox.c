/* test_sandbox.c: what can be done inside, and what cannot. Each test enters in
 * a process of its own. */
#include "epi/sandbox.h"
#include "os/sandbox_parts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLONE_A_NAMESPACE 0x10000000 /* CLONE_NEWUSER */

static char room[] = "/tmp/epi-sandbox-XXXXXX";

static const char *path(const char *name) {
  static char out[4][128];
  static int next;

  next = (next + 1) % 4;
  snprintf(out[next], sizeof out[next], "%s/%s", room, name);
  return out[next];
}

static void put(const char *name, const char *text) {
  FILE *file = fopen(path(name), "w");

  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

static void furnish(void) {
  cr_assert_not_null(mkdtemp(room));
  mkdir(path("in"), 0755);
  mkdir(path("out"), 0755);
  mkdir(path("else"), 0755);
  put("in/model", "a");
  put("else/secret", "b");
}

static void clear(void) {
  char command[128];

  snprintf(command, sizeof command, "rm -rf %s", room);
  cr_assert_eq(system(command), 0);
}

/* Run something in a child: its exit status, or minus its signal. */
static int in_child(int (*run)(epi_sandbox *sandbox)) {
  pid_t pid = fork();
  int status = 0;

  if (!pid) {
    epi_sandbox *sandbox = NULL;

    if (epi_sandbox_new(&sandbox)) {
      _exit(99);
    }
    _exit(run(sandbox));
  }
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Fail with the line, as what the child gives back. */
static int line_failed;
#define MUST(condition)                                                        \
  if (!(condition)) {                                                          \
    fprintf(stderr, "line %d: %s: errno %d\n", __LINE__, #condition, errno);   \
    line_failed = 1;                                                           \
  }

static int opens(const char *name, int flags) {
  int fd = open(path(name), flags, 0600);

  if (fd >= 0) {
    close(fd);
  }
  return fd >= 0;
}

/* ---- words ---- */

Test(sandbox, takes_words_for_its_parts) {
  epi_sandbox *sandbox = NULL;

  cr_assert_eq(epi_sandbox_new(&sandbox), 0);
  cr_expect_eq(epi_sandbox_parse(sandbox, "require"), 0);
  cr_expect_eq(sandbox->required, EPI_SANDBOX_ALL);
  cr_expect_eq(epi_sandbox_parse(sandbox, "files"), 0);
  cr_expect_eq(sandbox->wanted, EPI_SANDBOX_FILES | EPI_SANDBOX_NO_GAIN);
  cr_expect_eq(sandbox->required, 0);
  cr_expect_eq(epi_sandbox_parse(sandbox, "require,calls,no-dump"), 0);
  cr_expect_eq(sandbox->required, EPI_SANDBOX_CALLS | EPI_SANDBOX_NO_DUMP);
  cr_expect_eq(epi_sandbox_parse(sandbox, "none"), 0);
  cr_expect_eq(sandbox->wanted, 0);
  cr_expect_eq(epi_sandbox_parse(sandbox, "file"), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_parse(sandbox, ""), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_parse(sandbox, "files,"), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_parse(sandbox, "files,none"), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_set_parts(sandbox, 32, 0), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_keep(sandbox, 16), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_set_user(sandbox, "no such user"), EPI_ENOENT);
  cr_expect_eq(epi_sandbox_set_user(sandbox, "root:no such"), EPI_ENOENT);
  cr_expect_eq(epi_sandbox_set_user(sandbox, "4294967295:0"), EPI_ENOENT);
  cr_expect_eq(epi_sandbox_set_user(sandbox, "12345"), EPI_ENOENT);
  cr_expect_eq(epi_sandbox_set_user(sandbox, "12345:7"), 0);
  cr_expect_eq(epi_sandbox_allow(sandbox, "/no/such/file", 1), EPI_ENOENT);
  cr_expect_eq(epi_sandbox_allow(sandbox, "/", 0), EPI_EINVAL);
  cr_expect_eq(epi_sandbox_allow(sandbox, "-", EPI_SANDBOX_READ), 0);
  cr_expect_str_eq(epi_sandbox_text(sandbox), "");
  epi_sandbox_free(sandbox);
}

static int folders(epi_sandbox *sandbox) {
  MUST(!symlink(path("else/secret"), path("in/link")));
  MUST(!epi_sandbox_allow(sandbox, path("in/link"), EPI_SANDBOX_READ));
  MUST(sandbox->folders.count == 2);
  MUST(!strcmp(sandbox->folders.items[1].path, path("else")));
  MUST(!epi_sandbox_allow(sandbox, path("else/new"), EPI_SANDBOX_WRITE));
  MUST(sandbox->folders.count == 2);
  MUST(sandbox->folders.items[1].access == EPI_SANDBOX_WRITE);
  MUST(!symlink("in", path("now")) && !symlink("/usr/lib", path("far")));
  MUST(!epi_sandbox_allow(sandbox, path("now/model"), EPI_SANDBOX_READ));
  MUST(sandbox->folders.count == 3);
  MUST(
      !strcmp(sandbox->folders.items[2].path, room)); /* in, and what is next */
  MUST(!epi_sandbox_allow(sandbox, path("far/os-release"), EPI_SANDBOX_READ));
  MUST(!strcmp(sandbox->folders.items[3].path, "/usr/lib"));
  sandbox->files.count = 2;
  MUST(!epi_sandbox_allow_filter(sandbox, "seal:key=/tmp/a\\,b"));
  MUST(!epi_sandbox_allow_filter(sandbox, "count"));
  MUST(!strcmp(sandbox->files.items[2].path, "/tmp/a,b"));
  return line_failed;
}

Test(sandbox, allows_folders_for_files, .init = furnish, .fini = clear) {
  cr_expect_eq(in_child(folders), 0);
}

/* ---- files ---- */

static int files(epi_sandbox *sandbox) {
  MUST(!epi_sandbox_parse(sandbox, "files"));
  MUST(!epi_sandbox_allow(sandbox, path("in/model"), EPI_SANDBOX_READ));
  MUST(!epi_sandbox_allow(sandbox, path("out/log"), EPI_SANDBOX_WRITE));
  MUST(!epi_sandbox_enter(sandbox));
  if (!(epi_sandbox_active(sandbox) & EPI_SANDBOX_FILES)) {
    fprintf(stderr, "%s\n", epi_sandbox_text(sandbox));
    return 77;
  }
  MUST(opens("in/model", O_RDONLY));
  MUST(!opens("in/model", O_WRONLY) && errno == EACCES);
  MUST(!opens("in/new", O_WRONLY | O_CREAT) && errno == EACCES);
  MUST(opens("out/log", O_WRONLY | O_CREAT | O_APPEND));
  MUST(!rename(path("out/log"), path("out/log.1")));
  MUST(opens("out/log", O_RDWR | O_CREAT));
  MUST(!truncate(path("out/log"), 0));
  MUST(!opens("else/secret", O_RDONLY) && errno == EACCES);
  MUST(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
  MUST(open("/etc/hosts", O_RDONLY) >= 0);
  MUST(open("/dev/null", O_RDWR) >= 0);
  MUST(epi_sandbox_enter(sandbox) == EPI_ESTATE);
  MUST(epi_sandbox_allow(sandbox, "/", EPI_SANDBOX_READ) == EPI_ESTATE);
  return line_failed;
}

Test(sandbox, leaves_the_folders_that_were_allowed, .init = furnish,
     .fini = clear) {
  int got = in_child(files);

  if (got == 77) {
    cr_skip_test("no landlock");
  }
  cr_expect_eq(got, 0);
}

static int replaced(epi_sandbox *sandbox) {
  pid_t pid;
  int status = 0;

  MUST(!epi_sandbox_allow(sandbox, path("in/model"), EPI_SANDBOX_READ));
  pid = fork();
  if (!pid) { /* from outside */
    usleep(1);
    put("in/next", "c");
    _exit(rename(path("in/next"), path("in/model")));
  }
  MUST(!epi_sandbox_enter(sandbox));
  MUST(waitpid(pid, &status, 0) == pid && !status);
  MUST(opens("in/model", O_RDONLY));
  return line_failed;
}

Test(sandbox, sees_a_file_that_takes_anothers_place, .init = furnish,
     .fini = clear) {
  cr_expect_eq(in_child(replaced), 0);
}

/* ---- calls ---- */

static void *nothing(void *user) {
  return user;
}

static int socket_error(int domain, int type) {
  int fd = socket(domain, type, 0);

  return fd < 0 ? errno : (close(fd), 0);
}

static int calls(epi_sandbox *sandbox) {
  struct ifreq_like {
    char name[16], rest[24];
  } request = {"lo", ""};
  /* Of IPv4, ARP, bridges, routes of multicast, balancers. */
  static const int tables[] = {64, 65, 96, 97, 128, 200, 1154};
  char name[] = "true";
  char *const argv[] = {name, NULL};
  pthread_t thread;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), ttl = 9;

  MUST(!epi_sandbox_parse(sandbox, "calls"));
  MUST(!epi_sandbox_enter(sandbox));
  if (!(epi_sandbox_active(sandbox) & EPI_SANDBOX_CALLS)) {
    return 77;
  }
  MUST(execv("/bin/true", argv) && errno == EPERM);
  MUST(syscall(SYS_unshare, 0x20000) < 0 && errno == EPERM);
  MUST(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM);
  MUST(syscall(425, 1, NULL) < 0 && errno == EPERM);
  MUST(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) < 0 && errno == EPERM);
  MUST(syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0 && errno == EPERM);
  MUST(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0) < 0 &&
       errno == EPERM);
  MUST(syscall(SYS_clone, CLONE_A_NAMESPACE | SIGCHLD, 0, 0, 0, 0) < 0 &&
       errno == EPERM);
  MUST(syscall(SYS_clone3, NULL, (size_t)0) < 0 && errno == ENOSYS);
  MUST(socket_error(AF_NETLINK, SOCK_RAW) == EAFNOSUPPORT);
  MUST(socket_error(AF_PACKET, SOCK_RAW) == EAFNOSUPPORT);
  MUST(socket_error(38, SOCK_SEQPACKET) == EAFNOSUPPORT); /* AF_ALG */
  MUST(socket_error(AF_INET, SOCK_RAW | SOCK_CLOEXEC) == EPERM);
  MUST(!socket_error(AF_INET, SOCK_STREAM | SOCK_NONBLOCK));
  MUST(!socket_error(AF_INET6, SOCK_DGRAM) || errno == EAFNOSUPPORT);
  MUST(!socket_error(AF_UNIX, SOCK_STREAM));
  MUST(ioctl(fd, SIOCSIFFLAGS, &request) < 0 && errno == EPERM);
  MUST(ioctl(fd, SIOCADDRT, &request) < 0 && errno == EPERM);
  MUST(!ioctl(fd, SIOCGIFINDEX, &request));
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    MUST(setsockopt(fd, 0, tables[i], &request, sizeof request) < 0 &&
         errno == EPERM);
  }
  MUST(!setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl));
  MUST(!pthread_create(&thread, NULL, nothing, NULL));
  MUST(!pthread_join(thread, NULL));
  MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
  return line_failed;
}

Test(sandbox, refuses_calls_that_reach_beyond_the_process) {
  int got = in_child(calls);

  if (got == 77) {
    cr_skip_test("no seccomp");
  }
  cr_expect_eq(got, 0);
}

/* Numbers that reboot nothing, were they let through. */
static int hostile(epi_sandbox *sandbox) {
  MUST(!epi_sandbox_parse(sandbox, "require,calls"));
  MUST(!epi_sandbox_enter(sandbox));
  syscall(SYS_reboot, 0, 0, 0, NULL);
  return 1;
}

Test(sandbox, ends_who_calls_what_an_attacker_alone_calls) {
  cr_expect_eq(in_child(hostile), -SIGSYS);
}

static int programs(epi_sandbox *sandbox) {
  char name[] = "true";
  char *const argv[] = {name, NULL};

  MUST(!epi_sandbox_keep(sandbox, EPI_SANDBOX_KEEP_PROGRAMS));
  MUST(!epi_sandbox_enter(sandbox));
  MUST(!(epi_sandbox_active(sandbox) & EPI_SANDBOX_FILES));
  MUST(strstr(epi_sandbox_text(sandbox), "NO files: programs may be run"));
  execv("/bin/true", argv);
  return 1;
}

Test(sandbox, lets_programs_run_where_they_are_kept) {
  cr_expect_eq(in_child(programs), 0);
}

/* ---- rights ---- */

static uint64_t permitted(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};

  syscall(SYS_capget, &header, data);
  return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

static int rights(epi_sandbox *sandbox) {
  const uint64_t low = 1 << CAP_NET_BIND_SERVICE;
  const uint64_t marks = 1 << CAP_NET_RAW | 1 << CAP_NET_ADMIN;
  uint32_t mark = 7;
  int fd;

  MUST(!epi_sandbox_parse(sandbox, "capabilities,no-gain,no-dump"));
  MUST(!epi_sandbox_keep(sandbox,
                         EPI_SANDBOX_KEEP_MARKS | EPI_SANDBOX_KEEP_LOW_PORTS));
  MUST(!epi_sandbox_set_user(sandbox, "12345:54321"));
  MUST(!epi_sandbox_enter(sandbox));
  MUST(getuid() == 12345 && geteuid() == 12345 && getegid() == 54321);
  MUST(getgroups(0, NULL) == 1);
  MUST(!(permitted() & ~(low | marks)));
  MUST(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
  MUST(EPI__SANITIZED || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
  MUST(setuid(0) < 0);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  MUST(!(permitted() & marks) ||
       !setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark));
  return line_failed;
}

Test(sandbox, keeps_what_is_needed_for_another_user) {
  if (geteuid()) {
    cr_skip_test("not root");
  }
  cr_expect_eq(in_child(rights), 0);
}

static void *wait_for_ever(void *user) {
  pause();
  return user;
}

static int threads(epi_sandbox *sandbox) {
  pthread_t thread;

  MUST(!pthread_create(&thread, NULL, wait_for_ever, NULL));
  MUST(!epi_sandbox_parse(sandbox, "require,no-gain"));
  MUST(EPI__SANITIZED || epi_sandbox_enter(sandbox) == EPI_ESTATE);
  _exit(line_failed);
}

Test(sandbox, wants_to_be_entered_before_there_are_threads) {
  cr_expect_eq(in_child(threads), 0);
}
