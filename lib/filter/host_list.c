/* host_list.c: hosts that a filter lets through. */
#include "filter/host_list.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

typedef struct epi__host_entry {
  epi__range range; /* if there is no name */
  char *name;
  size_t name_len;
  int below; /* what is below the name, in its stead */
} epi__host_entry;

static int read_name(epi__host_entry *out, const char *text) {
  epi_addr addr;

  out->below = !strncmp(text, "*.", 2);
  text += out->below ? 2 : 0;
  if (epi_addr_set_name(&addr, text, strlen(text), 0)) {
    return epi__fail(EPI_EINVAL, "'%.80s' is no address, range or name", text);
  }
  if (addr.kind != EPI_ADDR_NAME) {
    return out->below ? epi__fail(EPI_EINVAL, "nothing is below '%.80s'", text)
                      : epi__range_parse(&out->range, text);
  }
  out->name = epi__strndup(addr.name, addr.name_len);
  out->name_len = addr.name_len;
  return out->name ? 0 : EPI_ENOMEM;
}

int epi__host_list_add(epi__host_list *list, const char *text, int names) {
  epi__host_entry entry = {0};
  epi__host_entry *moved;
  int result;

  if (list->count == EPI__HOST_LIST_MAX) {
    return epi__fail(EPI_ELIMIT, "over %d hosts", EPI__HOST_LIST_MAX);
  }
  moved = epi__grow(list->entries, list->count, &list->capacity,
                    sizeof *list->entries);
  if (!moved) {
    return EPI_ENOMEM;
  }
  list->entries = moved;
  result = !names || strpbrk(text, "/:") ? epi__range_parse(&entry.range, text)
                                         : read_name(&entry, text);
  if (!result) {
    list->entries[list->count++] = entry;
  }
  return result;
}

static int has_name(const epi__host_entry *entry, const epi_addr *addr) {
  size_t more = addr->name_len - entry->name_len;

  if (addr->kind != EPI_ADDR_NAME || addr->name_len < entry->name_len ||
      memcmp(addr->name + more, entry->name, entry->name_len)) {
    return 0;
  }
  return entry->below ? more > 1 && addr->name[more - 1] == '.' : more == 0;
}

int epi__host_list_has(const epi__host_list *list, const epi_addr *addr) {
  for (size_t i = 0; i < list->count; i++) {
    const epi__host_entry *entry = &list->entries[i];

    if (entry->name ? has_name(entry, addr)
                    : epi__range_has(&entry->range, addr)) {
      return 1;
    }
  }
  return 0;
}

void epi__host_list_clear(epi__host_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    epi__free(list->entries[i].name);
  }
  epi__free(list->entries);
  memset(list, 0, sizeof *list);
}
