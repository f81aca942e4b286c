/* test_tubes.c: tubes between sockets, and those of a worker. */
#include "engine/tubes.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  SIZE = 256 * 1024,
  NOBODY = 64000, /* users who have nothing else, one for each process */
  NOBODIES = 1000,
};

/* Socket pairs on either side: in[0] is written to, out[1] read from. */
typedef struct ends {
  int in[2], out[2];
} ends;

static ends new_way(void) {
  ends way;

  signal(SIGPIPE, SIG_IGN);
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, way.in), 0);
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, way.out), 0);
  return way;
}

static void end_way(const ends *way) {
  for (int i = 0; i < 2; i++) {
    close(way->in[i]);
    close(way->out[i]);
  }
}

static epi__tube *new_tube(void) {
  epi__tube *tube = NULL;

  cr_assert_eq(epi__tube_new(&tube, SIZE), 0);
  return tube;
}

Test(tubes, bytes_go_through_in_order) {
  ends way = new_way();
  epi__tube *tube = new_tube();
  char got[16] = "";

  cr_expect_eq(epi__tube_fill(tube, way.in[1], SIZE), EPI_ENOENT);
  cr_assert_eq(write(way.in[0], "abcdef", 6), 6);
  cr_expect_eq(epi__tube_fill(tube, way.in[1], 4), 4);
  cr_expect_eq(tube->held, 4);
  cr_expect_eq(epi__tube_drain(tube, way.out[0]), 4);
  cr_expect_eq(tube->held, 0);
  cr_expect_eq(epi__tube_fill(tube, way.in[1], SIZE), 2);
  cr_expect_eq(epi__tube_drain(tube, way.out[0]), 2);
  cr_assert_eq(read(way.out[1], got, sizeof got), 6);
  cr_expect_str_eq(got, "abcdef");
  close(way.in[0]);
  cr_expect_eq(epi__tube_fill(tube, way.in[1], SIZE), 0, "the end");
  way.in[0] = dup(way.in[1]);
  epi__tube_free(tube);
  end_way(&way);
}

Test(tubes, what_finds_no_room_waits_in_the_tube) {
  static char block[4096];
  ends way = new_way();
  epi__tube *tube = new_tube();
  size_t taken = 0, got = 0;
  ptrdiff_t n;

  while (write(way.out[0], block, sizeof block) > 0) {
    taken += sizeof block;
  }
  cr_assert_eq(write(way.in[0], "late", 4), 4);
  cr_assert_eq(epi__tube_fill(tube, way.in[1], SIZE), 4);
  cr_expect_eq(epi__tube_drain(tube, way.out[0]), 0);
  cr_expect_eq(tube->held, 4);
  while ((n = read(way.out[1], block, sizeof block)) > 0) {
    got += (size_t)n;
  }
  cr_expect_eq(got, taken);
  cr_expect_eq(epi__tube_drain(tube, way.out[0]), 4);
  cr_expect_eq(read(way.out[1], block, sizeof block), 4);
  cr_expect_eq(memcmp(block, "late", 4), 0);
  epi__tube_free(tube);
  end_way(&way);
}

Test(tubes, a_peer_that_is_gone_is_an_error) {
  ends way = new_way();
  epi__tube *tube = new_tube();

  cr_assert_eq(write(way.in[0], "x", 1), 1);
  cr_assert_eq(epi__tube_fill(tube, way.in[1], SIZE), 1);
  close(way.out[1]);
  cr_expect_eq(epi__tube_drain(tube, way.out[0]), EPI_ECLOSED);
  cr_expect_eq(tube->held, 1);
  way.out[1] = dup(way.out[0]);
  epi__tube_free(tube);
  end_way(&way);
}

Test(tubes, what_cannot_be_spliced_says_so) {
  epi__tube *tube = new_tube();
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int folder = open("/", O_RDONLY | O_CLOEXEC);

  cr_expect_eq(epi__tube_fill(tube, folder, SIZE), EPI_ENOTSUP);
  cr_expect_eq(epi__tube_fill(tube, listener, SIZE), EPI_ECLOSED);
  cr_expect_eq(tube->held, 0);
  close(folder);
  close(listener);
  epi__tube_free(tube);
}

Test(tubes, a_worker_has_a_limit_and_uses_them_again) {
  epi__tubes tubes = {.size = SIZE, .most = 2};
  epi__tube *first = epi__tubes_take(&tubes);
  epi__tube *second = epi__tubes_take(&tubes);

  cr_assert(first && second);
  cr_expect_null(epi__tubes_take(&tubes));
  epi__tubes_give(&tubes, first);
  cr_expect_eq(epi__tubes_take(&tubes), first);
  epi__tubes_give(&tubes, first);
  epi__tubes_give(&tubes, second);
  epi__tubes_trim(&tubes);
  cr_expect_eq(tubes.count, 0);
}

Test(tubes, what_was_left_in_one_comes_out_of_no_other) {
  epi__tubes tubes = {.size = SIZE, .most = 1};
  epi__tube *tube = epi__tubes_take(&tubes);
  ends way = new_way();

  cr_assert_eq(write(way.in[0], "secret", 6), 6);
  cr_assert_eq(epi__tube_fill(tube, way.in[1], SIZE), 6);
  epi__tubes_give(&tubes, tube);
  tube = epi__tubes_take(&tubes);
  cr_assert_not_null(tube);
  cr_expect_eq(tube->held, 0);
  cr_expect_eq(read(tube->ends[0], &(char){0}, 1), -1);
  epi__tubes_give(&tubes, tube);
  epi__tubes_trim(&tubes);
  end_way(&way);
}

Test(tubes, without_descriptors_or_memory_there_is_none) {
  epi__tubes tubes = {.size = SIZE, .most = 4};
  struct rlimit limit;

  for (alloc_fail_start(); alloc_fail_more();) {
    epi__tube *tube = epi__tubes_take(&tubes);

    cr_expect_eq(tube == NULL, alloc_fail_happened());
    if (tube) {
      epi__tubes_give(&tubes, tube);
      epi__tubes_trim(&tubes);
    }
  }
  cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 1;
  cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  cr_expect_null(epi__tubes_take(&tubes));
  limit.rlim_cur = limit.rlim_max;
  cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  cr_expect_eq(tubes.count, 0);
}

/* Returns how many tubes of 1 MiB a user without privileges got: enough of them
 * to reach what the system allows a user, and then none that is too small. */
static int count_as_user(void) {
  uid_t nobody = NOBODY + (uid_t)(getpid() % NOBODIES);
  int count = 0;

  if (setgid(nobody) || setuid(nobody)) {
    return -1;
  }
  for (epi__tube *tube; count < 250; count++) {
    if (epi__tube_new(&tube, 1024 * 1024)) {
      break;
    }
    if (fcntl(tube->ends[0], F_GETPIPE_SZ) < 64 * 1024) {
      return -1;
    }
  }
  return count;
}

Test(tubes, a_user_who_has_too_many_gets_none_that_is_small) {
  int status = 0;
  pid_t child;

  if (geteuid()) {
    cr_skip_test("not root");
  }
  child = fork();
  if (!child) {
    int count = count_as_user();

    _exit(count > 0 && count < 250 ? 0 : 1);
  }
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
