/* table_key.h: keys of hash tables over what documents and peers say. */
#ifndef EPI__TABLE_KEY_H
#define EPI__TABLE_KEY_H

#include "base/siphash.h"

/* Set the secret that keys are made of. Call it before another thread makes a
 * table; tables keep the keys that they have. */
void epi__table_seed(const epi__hash_key *secret);

/* A key for a new table, of the secret, of where the table lies and of how many
 * keys there were. Without a secret only the last two vary: that defends
 * against documents made beforehand, not against who watches this process.
 * Nothing that a caller of libepi sees may depend on a key. Threads: any. */
epi__hash_key epi__table_key(const void *place);

#endif
