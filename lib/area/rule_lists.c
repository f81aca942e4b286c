/* rule_lists.c: lists of rules, found by hash. Documents choose the numbers, so
 * the hash has a key: Dietzfelbinger's multiplication by a random odd factor,
 * of which the upper bits count. Any two numbers meet with a chance of 2 in the
 * number of slots, so that what shares a slot is in a short chain; that would
 * not do for open addressing. */
#include "area/rule_lists.h"

#include "base/memory.h"
#include "base/table_key.h"

#include <string.h>

enum {
  FIRST_BITS = 6,
};

static uint64_t key_of(int kind, uint32_t number) {
  return (uint64_t)kind << 32 | number;
}

static uint32_t *slot_of(const epi__rule_index *index, uint64_t key) {
  return &index->slots[key * index->factor >> (64 - index->bits)];
}

/* The list of a key, or NULL. */
static epi__rule_list *find(const epi__rule_index *index, uint64_t key) {
  uint32_t at = index->slots ? *slot_of(index, key) : 0;

  while (at && index->lists[at - 1].key != key) {
    at = index->lists[at - 1].next;
  }
  return at ? &index->lists[at - 1] : NULL;
}

static void chain(epi__rule_index *index, size_t list) {
  uint32_t *slot = slot_of(index, index->lists[list].key);

  index->lists[list].next = *slot;
  *slot = (uint32_t)list + 1;
}

static int spread(epi__rule_index *index) {
  unsigned bits = index->slots ? index->bits + 1 : FIRST_BITS;
  uint32_t *slots = epi__alloc_array((size_t)1 << bits, sizeof *slots);

  if (!slots) {
    return EPI_ENOMEM;
  }
  if (!index->slots) {
    index->factor = epi__table_key(slots).low | 1;
  }
  epi__free(index->slots);
  index->slots = slots;
  index->bits = bits;
  for (size_t i = 0; i < index->list_count; i++) {
    chain(index, i);
  }
  return 0;
}

/* Add an empty list. Returns it, or NULL. */
static epi__rule_list *add(epi__rule_index *index, uint64_t key) {
  epi__rule_list *moved;

  if ((!index->slots || index->list_count >= (size_t)1 << index->bits) &&
      spread(index)) {
    return NULL;
  }
  moved = epi__grow(index->lists, index->list_count, &index->list_capacity,
                    sizeof *moved);
  if (!moved) {
    return NULL;
  }
  index->lists = moved;
  moved += index->list_count;
  memset(moved, 0, sizeof *moved);
  moved->key = key;
  chain(index, index->list_count++);
  return moved;
}

int epi__rule_lists_put(epi__rule_index *index, int kind, uint32_t number,
                        epi__rule_ref rule) {
  uint64_t key = key_of(kind, number);
  epi__rule_list *list = find(index, key);
  epi__rule_ref *moved;

  if (!list) {
    list = add(index, key);
  }
  if (!list) {
    return EPI_ENOMEM;
  }
  /* One rule may name a node twice, as itself and by its area. */
  if (list->count && list->rules[list->count - 1].rule == rule.rule) {
    return 0;
  }
  moved =
      epi__grow(list->rules, list->count, &list->capacity, sizeof *list->rules);
  if (!moved) {
    return EPI_ENOMEM;
  }
  list->rules = moved;
  list->rules[list->count++] = rule;
  return 0;
}

const epi__rule_list *epi__rule_lists_find(const epi__rule_index *index,
                                           int kind, uint32_t number) {
  return find(index, key_of(kind, number));
}

void epi__rule_index_clear(epi__rule_index *index) {
  for (size_t i = 0; i < index->list_count; i++) {
    epi__free(index->lists[i].rules);
  }
  epi__free(index->lists);
  epi__free(index->slots);
  epi__node_lookup_clear(&index->ranges);
  memset(index, 0, sizeof *index);
}
