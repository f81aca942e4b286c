/* matcher_build.c: from patterns to the automaton that finds them.
 *
 * The sorted patterns are the tree: those below a state are a span of them, and
 * its children are the parts of the span with the same next class. So the tree
 * is made level by level, without pointers, and what a state falls back to is
 * complete before it is needed. */
#include "filter/matcher_states.h"

#include "base/fail.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct item {
  const uint8_t *at; /* classes */
  size_t len;
  uint32_t number;
} item;

typedef struct span {
  uint32_t low, high;
} span;

typedef struct build {
  epi__matcher *made;
  uint8_t *classes; /* of all patterns */
  item *items;      /* sorted */
  size_t count;
  span *spans; /* by state */
} build;

static uint8_t folded(uint8_t byte, int nocase) {
  return nocase && byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A')
                                              : byte;
}

/* Number the classes: 0 is for bytes that no pattern has, if there are any. */
static void make_classes(epi__matcher *made, const epi__patterns *patterns,
                         int nocase) {
  uint8_t used[256] = {0}, class_of[256] = {0};
  unsigned count = 0, distinct = 0;

  for (size_t i = 0; i < patterns->used; i++) {
    used[folded(patterns->bytes[i], nocase)] = 1;
  }
  for (unsigned i = 0; i < 256; i++) {
    distinct += used[i];
  }
  count = distinct < 256;
  for (unsigned i = 0; i < 256; i++) {
    if (used[i]) {
      class_of[i] = (uint8_t)count++;
    }
  }
  for (unsigned i = 0; i < 256; i++) {
    made->class_of[i] = class_of[folded((uint8_t)i, nocase)];
  }
  while (1u << made->shift < count) {
    made->shift++;
  }
}

static int compare(const void *a, const void *b) {
  const item *left = a, *right = b;
  size_t len = left->len < right->len ? left->len : right->len;
  int order = memcmp(left->at, right->at, len);

  if (!order && left->len != right->len) {
    order = left->len < right->len ? -1 : 1;
  }
  return order ? order : left->number < right->number ? -1 : 1;
}

static int sort_patterns(build *with, const epi__patterns *patterns) {
  epi__matcher *made = with->made;

  with->count = patterns->count;
  with->classes = epi__alloc(patterns->used);
  with->items = epi__alloc_array(with->count, sizeof *with->items);
  if (!with->classes || !with->items) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < patterns->used; i++) {
    with->classes[i] = made->class_of[patterns->bytes[i]];
  }
  for (size_t i = 0; i < with->count; i++) {
    const epi__pattern *from = &patterns->items[i];

    with->items[i] = (item){with->classes + from->at, from->len, from->number};
    made->longest = from->len > made->longest ? from->len : made->longest;
  }
  qsort(with->items, with->count, sizeof *with->items, compare);
  return 0;
}

static size_t common(const item *a, const item *b) {
  size_t len = 0;

  while (len < a->len && len < b->len && a->at[len] == b->at[len]) {
    len++;
  }
  return len;
}

static int make_states(build *with) {
  epi__matcher *made = with->made;
  size_t states = 1;

  for (size_t i = 0; i < with->count; i++) {
    states += with->items[i].len -
              (i ? common(&with->items[i - 1], &with->items[i]) : 0);
  }
  made->states = (uint32_t)states;
  made->first = epi__alloc_array(states + 1, sizeof *made->first);
  made->fail = epi__alloc_array(states, sizeof *made->fail);
  made->hit = epi__alloc_array(states, sizeof *made->hit);
  made->ends = epi__alloc_array(states, sizeof *made->ends);
  made->label = epi__alloc(states);
  with->spans = epi__alloc_array(states, sizeof *with->spans);
  return made->first && made->fail && made->hit && made->ends && made->label &&
                 with->spans
             ? 0
             : EPI_ENOMEM;
}

/* What a state and a class fall back to; what is needed of the tree is there.
 */
static uint32_t fall_back(const epi__matcher *made, uint32_t state,
                          unsigned class) {
  while (state) {
    uint32_t next;

    state = made->fail[state];
    next = epi__matcher_child(made, state, class);
    if (next) {
      return next;
    }
  }
  return 0;
}

/* Make the children of a state; next is the first number that is free. */
static uint32_t grow_state(build *with, uint32_t state, size_t depth,
                           uint32_t next) {
  epi__matcher *made = with->made;
  const item *items = with->items;
  span at = with->spans[state];

  for (; at.low < at.high && items[at.low].len == depth; at.low++) {
    if (!made->ends[state]) {
      made->ends[state] = items[at.low].number;
    }
  }
  made->hit[state] = made->ends[state] ? state : made->hit[made->fail[state]];
  made->first[state] = next;
  while (at.low < at.high) {
    uint8_t class = items[at.low].at[depth];
    uint32_t low = at.low;

    while (at.low < at.high && items[at.low].at[depth] == class) {
      at.low++;
    }
    made->label[next] = class;
    with->spans[next] = (span){low, at.low};
    made->fail[next] = fall_back(made, state, class);
    next++;
  }
  return next;
}

static void grow_tree(build *with) {
  epi__matcher *made = with->made;
  uint32_t next = 1;
  size_t depth = 0;

  with->spans[0] = (span){0, (uint32_t)with->count};
  for (uint32_t state = 0; state < made->states; state++) {
    /* The first state of a level is the first child of the level before. */
    if (depth < made->longest && state &&
        state == made->first[made->level[depth]]) {
      made->level[++depth] = state;
    }
    next = grow_state(with, state, depth, next);
  }
  made->first[made->states] = next;
}

static int make_rows(epi__matcher *made) {
  size_t width = (size_t)1 << made->shift;
  size_t most = EPI__ROWS_BYTES / sizeof *made->rows >> made->shift;

  made->dense = made->states < most ? made->states : (uint32_t)most;
  made->rows = epi__alloc_array(made->dense * width, sizeof *made->rows);
  if (!made->rows) {
    return EPI_ENOMEM;
  }
  for (uint32_t state = 0; state < made->dense; state++) {
    uint32_t *row = made->rows + state * width;

    if (state) {
      memcpy(row, made->rows + made->fail[state] * width, width * sizeof *row);
    }
    for (uint32_t i = made->first[state]; i < made->first[state + 1]; i++) {
      row[made->label[i]] = made->hit[i] ? i | EPI__HIT : i;
    }
  }
  for (unsigned i = 0; i < 256; i++) {
    made->starts[i] = made->rows[made->class_of[i]] != 0;
  }
  return 0;
}

int epi__matcher_new(epi__matcher **out, const epi__patterns *patterns,
                     int nocase) {
  build with = {0};
  int result;

  if (!patterns->count) {
    return epi__fail(EPI_EINVAL, "there is no pattern");
  }
  with.made = epi__alloc(sizeof *with.made);
  if (!with.made) {
    return EPI_ENOMEM;
  }
  make_classes(with.made, patterns, nocase);
  result = sort_patterns(&with, patterns);
  if (!result) {
    result = make_states(&with);
  }
  if (!result) {
    grow_tree(&with);
    result = make_rows(with.made);
  }
  epi__free(with.classes);
  epi__free(with.items);
  epi__free(with.spans);
  if (result) {
    epi__matcher_free(with.made);
    return result;
  }
  *out = with.made;
  return 0;
}
