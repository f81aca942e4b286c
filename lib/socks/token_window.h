/* token_window.h: which requests of a session were made before (draft-11
 * section 8.5, "Idempotence options").
 *
 * A window is the tokens base to base + size - 1, modulo 2^32; each is spent
 * once. The base moves on
 * - past the lowest token as soon as it is spent, and those spent behind it;
 * - when a token of the highest quarter is spent, until that token is below the
 *   highest quarter: tokens that a client lost cannot hold up the window. What
 *   lies below the base then can never be spent.
 * The second never moves it past the highest unspent token. */
#ifndef EPI__TOKEN_WINDOW_H
#define EPI__TOKEN_WINDOW_H

#include "epi/base.h"

/* All zero is no window. */
typedef struct epi__token_window {
  uint8_t *spent; /* a ring of bits */
  uint32_t head;  /* the bit of the base */
  uint32_t base, size;
} epi__token_window;

/* Open a window of 1 to 2^31 - 1 tokens where there is none. It takes a bit of
 * memory for each. Returns 0 or EPI_ENOMEM. */
int epi__token_window_open(epi__token_window *window, uint32_t base,
                           uint32_t size);

/* Spend a token: 1, or 0 if it is not in the window, or spent. */
int epi__token_window_spend(epi__token_window *window, uint32_t token);

void epi__token_window_clear(epi__token_window *window);

#endif
