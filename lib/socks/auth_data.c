/* auth_data.c: the authentication data of a message: bytes by method. */
#include "socks/auth_data.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

enum {
  METHOD_LOGIN = 2,
  METHOD_LAST = 254,
  /* Kind, length and method are in front of it in an option. */
  LEN_MAX = EPI_OPTIONS_MAX_12 - 5,
};

int epi__auth_data_is_of(int method) {
  return method >= 1 && method <= METHOD_LAST && method != METHOD_LOGIN;
}

static epi__auth_entry *find(const epi__auth_data *all, int method) {
  for (size_t i = 0; i < all->count; i++) {
    if (all->entries[i].method == method) {
      return &all->entries[i];
    }
  }
  return NULL;
}

static void end_entry(epi__auth_entry *entry) {
  if (entry->data) {
    epi_wipe(entry->data, entry->len);
  }
  epi__free(entry->data);
}

static void remove_entry(epi__auth_data *all, epi__auth_entry *entry) {
  end_entry(entry);
  all->count--;
  memmove(entry, entry + 1,
          (size_t)(all->entries + all->count - entry) * sizeof *entry);
}

/* Returns 0, EPI_EINVAL or EPI_ELIMIT. */
static int check(const epi__auth_data *all, int method, size_t len) {
  if (len > LEN_MAX) {
    return epi__fail(EPI_ELIMIT,
                     "authentication data of %zu bytes, at most %d go", len,
                     LEN_MAX);
  }
  if (all->count == EPI_AUTH_DATA_MAX && !find(all, method)) {
    return epi__fail(EPI_ELIMIT, "authentication data of more than %d methods",
                     EPI_AUTH_DATA_MAX);
  }
  return 0;
}

int epi__auth_data_set(epi__auth_data *all, int method, const void *data,
                       size_t len) {
  epi__auth_entry *entry = find(all, method);
  uint8_t *copy;

  if (!epi__auth_data_is_of(method)) {
    return epi__fail(EPI_EINVAL, "method %d has no authentication data",
                     method);
  }
  if (!data) {
    if (entry) {
      remove_entry(all, entry);
    }
    return 0;
  }
  if (check(all, method, len)) {
    return EPI_ELIMIT;
  }
  copy = epi__alloc(len);
  if (!copy) {
    return EPI_ENOMEM;
  }
  memcpy(copy, data, len);
  if (!entry) {
    void *moved = epi__grow(all->entries, all->count, &all->capacity,
                            sizeof *all->entries);

    if (!moved) {
      epi__free(copy);
      return EPI_ENOMEM;
    }
    all->entries = moved;
    entry = &all->entries[all->count++];
    entry->method = method;
    entry->data = NULL;
  }
  end_entry(entry);
  entry->data = copy;
  entry->len = len;
  return 0;
}

ptrdiff_t epi__auth_data_get(const epi__auth_data *all, int method,
                             const void **out) {
  const epi__auth_entry *entry = find(all, method);

  if (!entry) {
    return EPI_ENOENT;
  }
  *out = entry->data;
  return (ptrdiff_t)entry->len;
}

int epi__auth_data_copy(epi__auth_data *out, const epi__auth_data *all) {
  for (size_t i = 0; i < all->count; i++) {
    const epi__auth_entry *entry = &all->entries[i];

    if (epi__auth_data_set(out, entry->method, entry->data, entry->len)) {
      epi__auth_data_clear(out);
      return EPI_ENOMEM;
    }
  }
  return 0;
}

void epi__auth_data_clear(epi__auth_data *all) {
  for (size_t i = 0; i < all->count; i++) {
    end_entry(&all->entries[i]);
  }
  epi__free(all->entries);
  memset(all, 0, sizeof *all);
}
