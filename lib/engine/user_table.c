/* user_table.c: what a users file says: a line `NAME:HASH` or `NAME:PASSWORD`
 * for each user. */
#include "engine/user_table.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/sha256.h"
#include "os/os.h"

#include <string.h>

enum {
  USERS_FILE_MAX = 16 * 1024 * 1024,
  DIGEST = 32,
};

typedef struct entry {
  char *hash;             /* NULL: the password itself was there */
  uint8_t digest[DIGEST]; /* of that, so that comparing takes a fixed time */
} entry;

struct epi__user_table {
  epi__names names;
  entry *entries;
  size_t capacity;
  size_t plain;
  const char *some_hash; /* NULL: nobody has one */
};

static void digest_of(uint8_t out[DIGEST], const char *password) {
  epi__sha256 hash;

  epi__sha256_start(&hash);
  epi__sha256_add(&hash, password, strlen(password));
  epi__sha256_end(&hash, out);
  epi_wipe(&hash, sizeof hash);
}

static int no_login(const char *path, unsigned line) {
  return epi__fail(EPI_EINVAL,
                   "%s line %u: not NAME:HASH, or NAME:PASSWORD of 1 to %d "
                   "bytes each",
                   path, line, EPI_LOGIN_MAX);
}

/* The part behind the name, of one kind or the other. */
static int read_secret(epi__user_table *table, entry *out, const char *path,
                       unsigned line, const char *text) {
  int result;

  if (!epi__hash_looks_so(text)) {
    digest_of(out->digest, text);
    table->plain++;
    return *text && strlen(text) <= EPI_LOGIN_MAX ? 0 : no_login(path, line);
  }
  result = epi__hash_check(text);
  if (result) {
    char why[256];

    epi__printable(why, sizeof why, epi_error_detail());
    return epi__fail(result, "%s line %u: %s", path, line, why);
  }
  out->hash = epi__strdup(text);
  if (!table->some_hash) {
    table->some_hash = out->hash;
  }
  return out->hash ? 0 : EPI_ENOMEM;
}

static int add_user(epi__user_table *table, const char *path, unsigned line,
                    char *text) {
  char *secret = strchr(text, ':');
  entry new = {0};
  void *moved;
  int result;

  if (!secret || secret == text || secret - text > EPI_LOGIN_MAX) {
    return no_login(path, line);
  }
  *secret++ = '\0';
  if (epi__names_find(&table->names, text) >= 0) {
    return epi__fail(EPI_EINVAL, "%s line %u: user %s is there twice", path,
                     line, text);
  }
  moved = epi__grow(table->entries, table->names.count, &table->capacity,
                    sizeof *table->entries);
  if (!moved) {
    return EPI_ENOMEM;
  }
  table->entries = moved;
  result = read_secret(table, &new, path, line, secret);
  if (!result) {
    table->entries[table->names.count] = new;
    result = epi__names_add(&table->names, text) < 0 ? EPI_ENOMEM : 0;
  }
  if (result) {
    epi__free(new.hash);
  }
  return result;
}

static int read_lines(epi__user_table *table, const char *path, char *text) {
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
    result = add_user(table, path, line, text);
    if (result) {
      return result;
    }
  }
  return 0;
}

int epi__user_table_read(epi__user_table **out, const char *path) {
  epi__user_table *table = epi__alloc(sizeof *table);
  char *text = NULL;
  size_t len = 0;
  int result;

  if (!table) {
    return EPI_ENOMEM;
  }
  result = epi__file_read(path, USERS_FILE_MAX, 1, &text, &len);
  if (!result && strlen(text) != len) {
    result = epi__fail(EPI_EINVAL, "%s holds NUL bytes", path);
  }
  if (!result) {
    result = read_lines(table, path, text);
  }
  if (text) {
    epi_wipe(text, len);
    epi__free(text);
  }
  if (result) {
    epi__user_table_free(table);
    return result;
  }
  *out = table;
  return 0;
}

void epi__user_table_free(epi__user_table *table) {
  if (!table) {
    return;
  }
  for (size_t i = 0; i < table->names.count; i++) {
    if (table->entries[i].hash) {
      epi_wipe(table->entries[i].hash, strlen(table->entries[i].hash));
      epi__free(table->entries[i].hash);
    }
  }
  if (table->entries) {
    epi_wipe(table->entries, table->names.count * sizeof *table->entries);
  }
  epi__free(table->entries);
  epi__names_clear(&table->names);
  epi__free(table);
}

size_t epi__user_table_count(const epi__user_table *table) {
  return table->names.count;
}

size_t epi__user_table_plain(const epi__user_table *table) {
  return table->plain;
}

ptrdiff_t epi__user_table_find(const epi__user_table *table, const char *user) {
  return epi__names_find(&table->names, user);
}

int epi__user_table_is(const epi__user_table *table, ptrdiff_t number,
                       const char *password) {
  static const entry nobody;
  const entry *at = number < 0 ? &nobody : &table->entries[number];
  uint8_t digest[DIGEST];
  int equal;

  digest_of(digest, password);
  equal = epi__equal_secret(digest, at->digest, DIGEST);
  epi_wipe(digest, sizeof digest);
  return number >= 0 && !at->hash && equal;
}

const char *epi__user_table_hash(const epi__user_table *table, ptrdiff_t number,
                                 int *own) {
  const char *hash = number < 0 ? NULL : table->entries[number].hash;

  *own = hash != NULL;
  return hash ? hash : table->some_hash;
}
