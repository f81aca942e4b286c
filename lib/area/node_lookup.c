/* node_lookup.c: from addresses to nodes. */
#include "area/node_lookup.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/table_key.h"

#include <stdio.h>
#include <string.h>

static size_t family_of(int kind) {
  return kind == EPI_ADDR_IPV6;
}

static uint64_t hash_of(const epi__node_lookup *lookup,
                        const epi__range *range) {
  uint8_t bytes[18] = {(uint8_t)range->kind, (uint8_t)range->bits};
  size_t len = range->kind == EPI_ADDR_IPV6 ? 16 : 4;

  memcpy(bytes + 2, range->ip, sizeof range->ip);
  return epi__siphash(&lookup->key, bytes, 2 + len);
}

static int same(const epi__range *a, const epi__range *b) {
  return a->kind == b->kind && a->bits == b->bits &&
         !memcmp(a->ip, b->ip, sizeof a->ip);
}

/* The slot of a range, or the empty one where it would be. */
static size_t slot_of(const epi__node_lookup *lookup, const epi__range *range) {
  size_t mask = lookup->slot_count - 1;
  size_t slot = (size_t)hash_of(lookup, range) & mask;

  while (lookup->slots[slot] &&
         !same(&lookup->entries[lookup->slots[slot] - 1].range, range)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

static int spread(epi__node_lookup *lookup) {
  epi__node_lookup wider = *lookup;

  wider.slot_count = lookup->slot_count ? lookup->slot_count * 2 : 16;
  wider.slots = epi__alloc_array(wider.slot_count, sizeof *wider.slots);
  if (!wider.slots) {
    return EPI_ENOMEM;
  }
  if (!lookup->slot_count) {
    wider.key = epi__table_key(wider.slots);
  }
  for (size_t i = 0; i < lookup->count; i++) {
    if (lookup->entries[i].range.kind != EPI_ADDR_NONE) {
      wider.slots[slot_of(&wider, &lookup->entries[i].range)] = (uint32_t)i + 1;
    }
  }
  epi__free(lookup->slots);
  *lookup = wider;
  return 0;
}

static void note_length(epi__node_lookup *lookup, const epi__range *range) {
  size_t family = family_of(range->kind);
  uint8_t *lengths = lookup->lengths[family];
  size_t count = lookup->length_count[family];
  size_t at = 0;

  while (at < count && lengths[at] > range->bits) {
    at++;
  }
  if (at < count && lengths[at] == range->bits) {
    return;
  }
  memmove(lengths + at + 1, lengths + at, count - at);
  lengths[at] = (uint8_t)range->bits;
  lookup->length_count[family]++;
}

/* Appends an entry. Returns its number or EPI_ENOMEM. */
static ptrdiff_t append(epi__node_lookup *lookup, const epi__entry *entry) {
  epi__entry *moved = epi__grow(lookup->entries, lookup->count,
                                &lookup->capacity, sizeof *lookup->entries);

  if (!moved) {
    return EPI_ENOMEM;
  }
  lookup->entries = moved;
  lookup->entries[lookup->count] = *entry;
  return (ptrdiff_t)lookup->count++;
}

static ptrdiff_t add_range(epi__node_lookup *lookup, const epi__entry *entry,
                           size_t *there) {
  ptrdiff_t number;
  size_t slot;

  if (lookup->range_count >= lookup->slot_count / 2 && spread(lookup)) {
    return EPI_ENOMEM;
  }
  slot = slot_of(lookup, &entry->range);
  if (lookup->slots[slot]) {
    *there = lookup->slots[slot] - 1;
    return EPI_EBUSY;
  }
  number = append(lookup, entry);
  if (number >= 0) {
    lookup->slots[slot] = (uint32_t)number + 1;
    lookup->range_count++;
    note_length(lookup, &entry->range);
  }
  return number;
}

static ptrdiff_t add_name(epi__node_lookup *lookup, epi__entry *entry,
                          const char *name, size_t *there) {
  ptrdiff_t number = epi__names_find(&lookup->names, name);
  uint32_t *moved;

  if (number >= 0) {
    *there = lookup->name_entries[number];
    return EPI_EBUSY;
  }
  moved = epi__grow(lookup->name_entries, lookup->names.count,
                    &lookup->name_capacity, sizeof *lookup->name_entries);
  if (!moved) {
    return EPI_ENOMEM;
  }
  lookup->name_entries = moved;
  number = epi__names_add(&lookup->names, name);
  if (number < 0) {
    return number;
  }
  lookup->name_entries[number] = (uint32_t)lookup->count;
  entry->name = (uint32_t)number;
  return append(lookup, entry);
}

/* A name that ends in a number is a mistyped address: no such top-level domain
 * exists (RFC 3696 section 2). */
static int ends_in_number(const char *name) {
  const char *dot = strrchr(name, '.');
  const char *label = dot ? dot + 1 : name;

  return strspn(label, "0123456789") == strlen(label);
}

ptrdiff_t epi__node_lookup_add(epi__node_lookup *lookup, const char *text,
                               uint32_t node, size_t *there) {
  epi__entry entry = {.node = node};
  epi_addr addr;
  int result;

  if (!epi__range_parse(&entry.range, text)) {
    return add_range(lookup, &entry, there);
  }
  if (strchr(text, '/')) {
    return EPI_EINVAL; /* the detail is epi__range_parse()'s */
  }
  result = epi_addr_set_name(&addr, text, strlen(text), 0);
  if (result) {
    return result;
  }
  if (ends_in_number(addr.name)) {
    return epi__fail(EPI_EINVAL, "neither an IP address nor a host name");
  }
  return add_name(lookup, &entry, addr.name, there);
}

static ptrdiff_t find_name(const epi__node_lookup *lookup, const char *name) {
  for (const char *suffix = name; suffix; suffix = strchr(suffix, '.')) {
    ptrdiff_t number;

    suffix += suffix != name; /* past the dot */
    number = epi__names_find(&lookup->names, suffix);
    if (number >= 0) {
      return lookup->entries[lookup->name_entries[number]].node;
    }
  }
  return EPI_ENOENT;
}

static void cut(uint8_t *ip, int bits) {
  int whole = bits / 8;

  if (bits % 8) {
    ip[whole] &= (uint8_t)(0xff00u >> bits % 8);
    whole++;
  }
  memset(ip + whole, 0, (size_t)(16 - whole));
}

ptrdiff_t epi__node_lookup_each(const epi__node_lookup *lookup,
                                const epi_addr *ip, size_t *place) {
  size_t family = family_of(ip->kind);
  epi__range range = {.kind = ip->kind};

  memcpy(range.ip, ip->ip, sizeof range.ip);
  while (*place < lookup->length_count[family]) {
    uint32_t found;

    range.bits = lookup->lengths[family][(*place)++];
    cut(range.ip, range.bits); /* ever shorter */
    found = lookup->slots[slot_of(lookup, &range)];
    if (found) {
      return (ptrdiff_t)found - 1;
    }
  }
  return EPI_ENOENT;
}

ptrdiff_t epi__node_lookup_find(const epi__node_lookup *lookup,
                                const epi_addr *addr) {
  ptrdiff_t entry = EPI_ENOENT;
  size_t place = 0;

  if (addr->kind == EPI_ADDR_NAME) {
    return find_name(lookup, addr->name);
  }
  if (addr->kind == EPI_ADDR_IPV4 || addr->kind == EPI_ADDR_IPV6) {
    entry = epi__node_lookup_each(lookup, addr, &place);
  }
  return entry < 0 ? entry : (ptrdiff_t)lookup->entries[entry].node;
}

const char *epi__range_text(const epi__range *range, epi__addr_buf *buf) {
  int all = range->kind == EPI_ADDR_IPV4 ? 32 : 128;
  epi_addr addr = {.kind = (uint8_t)range->kind};
  ptrdiff_t len;

  memcpy(addr.ip, range->ip, sizeof addr.ip);
  len = epi_addr_format(&addr, 0, buf->text, sizeof buf->text);
  if (len > 0 && range->bits != all) {
    snprintf(buf->text + len, sizeof buf->text - (size_t)len, "/%d",
             range->bits);
  }
  return buf->text;
}

const char *epi__entry_text(const epi__node_lookup *lookup,
                            const epi__entry *entry, epi__addr_buf *buf) {
  return entry->range.kind == EPI_ADDR_NONE
             ? lookup->names.texts[entry->name]
             : epi__range_text(&entry->range, buf);
}

void epi__node_lookup_clear(epi__node_lookup *lookup) {
  epi__free(lookup->entries);
  epi__free(lookup->slots);
  epi__names_clear(&lookup->names);
  epi__free(lookup->name_entries);
  memset(lookup, 0, sizeof *lookup);
}
