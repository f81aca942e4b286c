/* metadata.c: the metadata of a message. */
#include "socks/metadata.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

static epi__metadata_entry *find(const epi__metadata *metadata, int key) {
  for (size_t i = 0; i < metadata->count; i++) {
    if (metadata->entries[i].key == key) {
      return &metadata->entries[i];
    }
  }
  return NULL;
}

static int check(int key, const char *value, size_t len) {
  if (key < 0 || key > 65535) {
    return epi__fail(EPI_EINVAL, "metadata has keys 0 to 65535, not %d", key);
  }
  if (len > EPI_METADATA_VALUE_MAX) {
    return epi__fail(EPI_ELIMIT, "metadata %d has %zu bytes, at most %d go",
                     key, len, EPI_METADATA_VALUE_MAX);
  }
  for (size_t i = 0, step; i < len; i += step) {
    step = epi__utf8_len((const uint8_t *)value + i, len - i);
    if (!step) {
      return epi__fail(EPI_EINVAL, "metadata %d is not UTF-8 without NUL", key);
    }
  }
  return 0;
}

int epi__metadata_set(epi__metadata *metadata, int key, const char *value,
                      size_t len) {
  epi__metadata_entry *entry = find(metadata, key);
  int error = check(key, value, len);
  char *copy;

  if (error) {
    return error;
  }
  if (!entry && metadata->count == EPI_METADATA_MAX) {
    return epi__fail(EPI_ELIMIT,
                     "no room for metadata %d: %d entries are there", key,
                     EPI_METADATA_MAX);
  }
  copy = epi__strndup(value, len);
  if (!copy) {
    return EPI_ENOMEM;
  }
  if (!entry) {
    void *moved = epi__grow(metadata->entries, metadata->count,
                            &metadata->capacity, sizeof *metadata->entries);

    if (!moved) {
      epi__free(copy);
      return EPI_ENOMEM;
    }
    metadata->entries = moved;
    entry = &metadata->entries[metadata->count++];
    entry->key = key;
    entry->value = NULL;
  }
  epi__free(entry->value);
  entry->value = copy;
  return 0;
}

void epi__metadata_remove(epi__metadata *metadata, int key) {
  epi__metadata_entry *entry = find(metadata, key);

  if (!entry) {
    return;
  }
  epi__free(entry->value);
  metadata->count--;
  memmove(entry, entry + 1,
          (size_t)(metadata->entries + metadata->count - entry) *
              sizeof *entry);
}

const char *epi__metadata_get(const epi__metadata *metadata, int key) {
  const epi__metadata_entry *entry = find(metadata, key);

  return entry ? entry->value : NULL;
}

int epi__metadata_copy(epi__metadata *out, const epi__metadata *metadata) {
  for (size_t i = 0; i < metadata->count; i++) {
    const epi__metadata_entry *entry = &metadata->entries[i];

    if (epi__metadata_set(out, entry->key, entry->value,
                          strlen(entry->value))) {
      epi__metadata_clear(out);
      return EPI_ENOMEM;
    }
  }
  return 0;
}

void epi__metadata_clear(epi__metadata *metadata) {
  for (size_t i = 0; i < metadata->count; i++) {
    epi__free(metadata->entries[i].value);
  }
  epi__free(metadata->entries);
  memset(metadata, 0, sizeof *metadata);
}
