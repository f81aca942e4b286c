/* table_seed.c: the secret of hash tables, from the kernel. */
#include "base/table_key.h"

#include <sys/random.h>

/* Runs when the library is loaded, before anybody can have made a table. Early
 * in a boot the kernel may have nothing random yet: tables then do without a
 * secret, which is better than to wait. */
__attribute__((constructor)) static void seed_tables(void) {
  epi__hash_key secret;

  if (getrandom(&secret, sizeof secret, GRND_NONBLOCK) == sizeof secret) {
    epi__table_seed(&secret);
  }
}
