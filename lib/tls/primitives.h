/* primitives.h: what lib/tls gives to the layers above and, as tables, to the
 * core. */
#ifndef EPI__PRIMITIVES_H
#define EPI__PRIMITIVES_H

#include "base/crypto.h"

/* The primitives, by wolfCrypt and the kernel's random bytes. */
const epi__crypto *epi__crypto_wolfssl(void);

#endif
