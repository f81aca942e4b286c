/* labels.c: a table of names, which is read without a lock. */
#include "engine/labels.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

void epi__labels_start(epi__labels *labels, size_t most) {
  labels->most = most;
  atomic_init(&labels->count, 0);
  pthread_mutex_init(&labels->lock, NULL);
}

void epi__labels_clear(epi__labels *labels) {
  for (size_t i = 0; i < epi__labels_count(labels); i++) {
    epi__free(labels->texts[i]);
  }
  pthread_mutex_destroy(&labels->lock);
}

/* FNV-1a. Names come from models and programs: nobody floods the table. */
static uint32_t hash_of(const char *text) {
  uint32_t hash = 2166136261u;

  while (*text) {
    hash = (hash ^ (uint8_t)*text++) * 16777619u;
  }
  return hash;
}

static size_t find(const epi__labels *labels, size_t from, size_t count,
                   uint32_t hash, const char *text) {
  for (size_t i = from; i < count; i++) {
    if (labels->hashes[i] == hash && !strcmp(labels->texts[i], text)) {
      return i;
    }
  }
  return count;
}

/* With the lock. Returns its index; or `most`: there is no room, or memory. */
static size_t add(epi__labels *labels, uint32_t hash, const char *text) {
  size_t count = epi__labels_count(labels);
  char *copy;

  if (count == labels->most || !(copy = epi__strdup(text))) {
    return labels->most;
  }
  labels->hashes[count] = hash;
  labels->texts[count] = copy;
  atomic_store_explicit(&labels->count, count + 1, memory_order_release);
  return count;
}

/* A name that is UTF-8 and not too long, for who reads it elsewhere. */
static void clean(char *out, const char *text) {
  size_t left = strlen(text), used = 0;

  while (left) {
    size_t len = epi__utf8_len((const uint8_t *)text, left);
    size_t step = len ? len : 1;

    if (used + step > EPI__LABEL_BYTES) {
      break;
    }
    if (len > 1 || (len && *text >= ' ' && *text != 127)) {
      memcpy(out + used, text, len);
    } else {
      out[used] = '?';
    }
    used += step;
    text += step;
    left -= step;
  }
  out[used] = '\0';
}

size_t epi__labels_index(epi__labels *labels, const char *text) {
  char name[EPI__LABEL_BYTES + 1];
  size_t count, index;
  uint32_t hash;

  count = epi__labels_count(labels);
  index = find(labels, 0, count, hash_of(text), text);
  if (index < count) {
    return index;
  }
  clean(name, text);
  hash = hash_of(name);
  index = find(labels, 0, count, hash, name);
  if (index < count || count == labels->most) {
    return index;
  }
  pthread_mutex_lock(&labels->lock);
  index = find(labels, count, epi__labels_count(labels), hash, name);
  if (index == epi__labels_count(labels)) {
    index = add(labels, hash, name);
  }
  pthread_mutex_unlock(&labels->lock);
  return index;
}

size_t epi__labels_count(const epi__labels *labels) {
  return atomic_load_explicit(&labels->count, memory_order_acquire);
}

const char *epi__labels_text(const epi__labels *labels, size_t index) {
  return labels->texts[index];
}
