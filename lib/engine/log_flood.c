/* log_flood.c: of very many log lines of a kind, a few and how many there were.
 */
#include "engine/log_flood.h"

#include "base/memory.h"
#include "epi/engine.h"
#include "epi/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  KINDS = 128,
  PROBES = 8, /* places where a kind may be */
  SECOND_MS = 1000,
  SAMPLE = 240, /* bytes of a line */
};

typedef struct kind {
  uint64_t hash; /* 0: nothing is here */
  int level;
  int64_t second_at; /* when the second began that lines are counted in */
  int64_t lines;     /* in it */
  int64_t more;      /* that did not go out, and were not spoken of */
  int64_t since;     /* when the first of these came */
  char sample[SAMPLE];
} kind;

struct epi__log_flood {
  kind kinds[KINDS];
  int waiting; /* kinds that have more */
};

int epi__log_flood_new(epi__log_flood **out) {
  epi__log_flood *flood = epi__alloc(sizeof *flood);

  if (!flood) {
    return EPI_ENOMEM;
  }
  *out = flood;
  return 0;
}

void epi__log_flood_free(epi__log_flood *flood) {
  epi__free(flood);
}

static uint64_t mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * UINT64_C(1099511628211); /* FNV-1a */
}

/* Numbers, addresses and names with numbers in them make no other kind. */
static uint64_t hash_words(uint64_t hash, const char *line) {
  while (*line) {
    size_t len = strcspn(line, " ");
    size_t digit = strcspn(line, "0123456789");

    for (size_t i = 0; digit >= len && i < len; i++) {
      hash = mix(hash, (unsigned char)line[i]);
    }
    line += len;
    line += strspn(line, " ");
    hash = mix(hash, ' ');
  }
  return hash;
}

static uint64_t hash_of(int level, const char *format, const char *line) {
  uint64_t hash = mix(UINT64_C(14695981039346656037), (uint64_t)level);

  hash = level == EPI_LOG_ERROR ? hash_words(hash, line)
                                : mix(hash, (uint64_t)(uintptr_t)format);
  return hash ? hash : 1;
}

/* The kind's place; or else an empty one, or that of a kind that has been quiet
 * for longest; NULL: of all that it could have, something is to be said yet. */
static kind *find(epi__log_flood *flood, uint64_t hash) {
  kind *best = NULL;

  for (size_t i = 0; i < PROBES; i++) {
    kind *at = &flood->kinds[(hash + i) % KINDS];

    if (at->hash == hash) {
      return at;
    }
    if (!at->more && (!best || at->second_at < best->second_at)) {
      best = at;
    }
  }
  return best;
}

int epi__log_flood_take(epi__log_flood *flood, int level, const char *format,
                        const char *line, int64_t now, int64_t most) {
  uint64_t hash = hash_of(level, format, line);
  kind *at = find(flood, hash);

  if (!at) {
    return 1;
  }
  if (at->hash != hash) {
    memset(at, 0, sizeof *at);
    at->hash = hash;
    at->level = level;
    at->second_at = now;
  }
  if (now - at->second_at >= SECOND_MS) {
    at->second_at = now;
    at->lines = 0;
  }
  if (at->lines < most) {
    at->lines++;
    return 1;
  }
  if (!at->more) {
    at->since = now;
    flood->waiting++;
  }
  at->more++;
  snprintf(at->sample, sizeof at->sample, "%s", line);
  return 0;
}

/* A number in threes: 12,345. */
static const char *in_threes(int64_t number, char out[32]) {
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%" PRId64, number), at = 0;

  for (int i = 0; i < len; i++) {
    if (i && (len - i) % 3 == 0) {
      out[at++] = ',';
    }
    out[at++] = digits[i];
  }
  out[at] = '\0';
  return out;
}

int epi__log_flood_due(epi__log_flood *flood, int64_t now, int anyhow,
                       char out[EPI__FLOOD_LINE]) {
  char number[32];

  for (size_t i = 0; flood->waiting && i < KINDS; i++) {
    kind *at = &flood->kinds[i];

    if (at->more && (anyhow || now - at->since >= EPI__FLOOD_MS)) {
      int64_t seconds = (now - at->since + SECOND_MS - 1) / SECOND_MS;

      snprintf(out, EPI__FLOOD_LINE,
               "and %s more like it in the last %" PRId64 " s: %s",
               in_threes(at->more, number), seconds > 0 ? seconds : 1,
               at->sample);
      at->more = 0;
      flood->waiting--;
      return at->level;
    }
  }
  return 0;
}

int epi__log_flood_waits(const epi__log_flood *flood) {
  return flood->waiting > 0;
}
