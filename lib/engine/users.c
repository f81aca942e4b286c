/* users.c: who may log in to a SOCKS listener. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/sha256.h"
#include "engine/worker.h"
#include "os/os.h"

#include <string.h>

enum {
  USERS_FILE_MAX = 16 * 1024 * 1024,
  DIGEST = 32,
};

/* Passwords are kept as digests, so that comparing takes a fixed time. */
struct epi__users {
  epi__names names;
  uint8_t (*digests)[DIGEST];
  size_t capacity;
};

static void digest_of(uint8_t out[DIGEST], const char *password) {
  epi__sha256 hash;

  epi__sha256_start(&hash);
  epi__sha256_add(&hash, password, strlen(password));
  epi__sha256_end(&hash, out);
  epi_wipe(&hash, sizeof hash);
}

static int add_user(epi__users *users, const char *path, unsigned line,
                    char *text) {
  char *password = strchr(text, ':');
  void *moved;

  if (!password || password == text || !password[1] ||
      strlen(password + 1) > EPI_LOGIN_MAX || password - text > EPI_LOGIN_MAX) {
    return epi__fail(EPI_EINVAL,
                     "%s line %u: not NAME:PASSWORD of 1 to %d bytes each",
                     path, line, EPI_LOGIN_MAX);
  }
  *password++ = '\0';
  if (epi__names_find(&users->names, text) >= 0) {
    return epi__fail(EPI_EINVAL, "%s line %u: user %s is there twice", path,
                     line, text);
  }
  moved = epi__grow(users->digests, users->names.count, &users->capacity,
                    sizeof *users->digests);
  if (!moved) {
    return EPI_ENOMEM;
  }
  users->digests = moved;
  digest_of(users->digests[users->names.count], password);
  return epi__names_add(&users->names, text) < 0 ? EPI_ENOMEM : 0;
}

static int read_lines(epi__users *users, const char *path, char *text) {
  unsigned line = 1;

  for (char *next; text; text = next, line++) {
    size_t len = strcspn(text, "\r\n");
    int result;

    next = strchr(text, '\n');
    next = next ? next + 1 : NULL;
    text[len] = '\0';
    if (!len || text[0] == '#') {
      continue;
    }
    result = add_user(users, path, line, text);
    if (result) {
      return result;
    }
  }
  return 0;
}

int epi__users_read(epi__users **out, const char *path) {
  epi__users *users = epi__alloc(sizeof *users);
  char *text = NULL;
  size_t len = 0;
  int result;

  if (!users) {
    return EPI_ENOMEM;
  }
  result = epi__file_read(path, USERS_FILE_MAX, 1, &text, &len);
  if (!result && strlen(text) != len) {
    result = epi__fail(EPI_EINVAL, "%s holds NUL bytes", path);
  }
  if (!result) {
    result = read_lines(users, path, text);
  }
  if (text) {
    epi_wipe(text, len);
    epi__free(text);
  }
  if (result) {
    epi__users_free(users);
    return result;
  }
  *out = users;
  return 0;
}

void epi__users_free(epi__users *users) {
  if (users) {
    epi__names_clear(&users->names);
    epi__free(users->digests);
    epi__free(users);
  }
}

int epi__users_check(const epi__users *users, const char *user,
                     const char *password) {
  static const uint8_t nobody[DIGEST];
  ptrdiff_t number = epi__names_find(&users->names, user);
  uint8_t digest[DIGEST];
  int equal;

  digest_of(digest, password);
  equal = epi__equal_secret(
      digest, number < 0 ? nobody : users->digests[number], DIGEST);
  return number >= 0 && equal;
}
