/* token_window.c: spending the tokens of a session, and shifting the window. */
#include "socks/token_window.h"

#include "base/fail.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

int epi__token_window_open(epi__token_window *window, uint32_t base,
                           uint32_t size) {
  assert(!window->size && size && size <= INT32_MAX);
  window->spent = epi__alloc(((size_t)size + 7) / 8);
  if (!window->spent) {
    return EPI_ENOMEM;
  }
  window->head = 0;
  window->base = base;
  window->size = size;
  return 0;
}

void epi__token_window_clear(epi__token_window *window) {
  epi__free(window->spent);
  memset(window, 0, sizeof *window);
}

/* The bit of the token at an offset from the base. */
static uint32_t bit_at(const epi__token_window *window, uint32_t offset) {
  uint32_t to_end = window->size - window->head;

  return offset < to_end ? window->head + offset : offset - to_end;
}

static int is_spent(const epi__token_window *window, uint32_t offset) {
  uint32_t bit = bit_at(window, offset);

  return window->spent[bit / 8] >> bit % 8 & 1;
}

/* The token at the base leaves; its bit becomes that of the one that enters. */
static void step(epi__token_window *window) {
  window->spent[window->head / 8] &= (uint8_t) ~(1u << window->head % 8);
  window->head = bit_at(window, 1 % window->size);
  window->base++;
}

/* The token at an offset was spent. */
static void shift(epi__token_window *window, uint32_t offset) {
  uint32_t low = window->size - window->size / 4;
  uint32_t highest = window->size;

  if (offset >= low) {
    uint32_t steps = offset - low + 1;

    while (highest && is_spent(window, highest - 1)) {
      highest--;
    }
    /* highest is 1 above the highest unspent token. */
    for (; steps && highest > 1; steps--, highest--) {
      step(window);
    }
  }
  while (is_spent(window, 0)) {
    step(window);
  }
}

int epi__token_window_spend(epi__token_window *window, uint32_t token) {
  uint32_t offset = token - window->base;
  uint32_t bit;

  if (offset >= window->size || is_spent(window, offset)) {
    return 0;
  }
  bit = bit_at(window, offset);
  window->spent[bit / 8] |= (uint8_t)(1u << bit % 8);
  shift(window, offset);
  return 1;
}
