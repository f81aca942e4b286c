/* users_edit.c: a user's line in a users file is put, or taken out. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "epi/socks.h"
#include "epi/users.h"
#include "os/file_replace.h"
#include "os/os.h"
#include "os/password_hash.h"

#include <string.h>
#include <unistd.h>

enum { USERS_FILE_MAX = 16 * 1024 * 1024 };

/* A text that grows moves, and would leave secrets behind: so there is room for
 * all from the start. */
typedef struct edit {
  const char *user, *line; /* line NULL: it goes */
  char *text;
  size_t len;
  int found;
} edit;

static int check_user(const char *user) {
  size_t len = user ? strlen(user) : 0;

  if (!len || len > EPI_LOGIN_MAX || *user == '#') {
    return epi__fail(EPI_EINVAL,
                     "a user has a name of 1 to %d bytes that does "
                     "not begin with '#'",
                     EPI_LOGIN_MAX);
  }
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)user[i] < 0x20 || user[i] == ':' || user[i] == 0x7f) {
      return epi__fail(
          EPI_EINVAL, "the name of a user has no ':' and no control character");
    }
  }
  return 0;
}

static void put(edit *e, const char *text, size_t len) {
  memcpy(e->text + e->len, text, len);
  e->len += len;
}

static void put_line(edit *e) {
  if (e->line) {
    put(e, e->user, strlen(e->user));
    put(e, ":", 1);
    put(e, e->line, strlen(e->line));
    put(e, "\n", 1);
  }
}

static int is_of(const char *line, const char *user) {
  size_t len = strlen(user);

  return !strncmp(line, user, len) && line[len] == ':';
}

/* All other lines stay as they are, in their order. */
static void copy_lines(edit *e, const char *from, size_t len) {
  const char *end = len ? from + len : from;

  while (from < end) {
    const char *next = memchr(from, '\n', (size_t)(end - from));
    size_t size = next ? (size_t)(next - from) + 1 : (size_t)(end - from);

    if (is_of(from, e->user)) {
      if (!e->found++) {
        put_line(e);
      }
    } else {
      put(e, from, size);
      if (!next) {
        put(e, "\n", 1);
      }
    }
    from += size;
  }
  if (!e->found) {
    put_line(e);
  }
}

static int change(const char *path, const char *user, const char *line) {
  edit e = {.user = user, .line = line};
  size_t len = 0, room;
  char *old = NULL;
  int result = epi__file_read(path, USERS_FILE_MAX, 1, &old, &len);

  if (result == EPI_ENOENT && line) {
    result = 0;
  }
  if (result) {
    return result;
  }
  room = len + strlen(user) + (line ? strlen(line) : 0) + 4;
  e.text = epi__alloc(room);
  if (e.text) {
    copy_lines(&e, old, len);
    result = line || e.found
                 ? epi__file_replace(path, e.text, e.len)
                 : epi__fail(EPI_ENOENT, "%s has no user %s", path, user);
    epi_wipe(e.text, room);
    epi__free(e.text);
  } else {
    result = EPI_ENOMEM;
  }
  if (old) {
    epi_wipe(old, len);
    epi__free(old);
  }
  return result;
}

static int change_alone(const char *path, const char *user, const char *line) {
  int lock = epi__file_reserve(path);
  int result = lock < 0 ? lock : change(path, user, line);

  if (lock >= 0) {
    close(lock);
  }
  return result;
}

int epi_users_set(const char *path, const char *user, const char *password) {
  char hash[EPI__HASH_MAX];
  int result = check_user(user);

  if (!result &&
      (!password || !*password || strlen(password) > EPI_LOGIN_MAX)) {
    result =
        epi__fail(EPI_EINVAL, "a password has 1 to %d bytes", EPI_LOGIN_MAX);
  }
  if (!result) {
    result = epi__hash_make(hash, password);
  }
  if (!result) {
    result = change_alone(path, user, hash);
    epi_wipe(hash, sizeof hash);
  }
  return result;
}

int epi_users_remove(const char *path, const char *user) {
  int result = check_user(user);

  return result ? result : change_alone(path, user, NULL);
}
