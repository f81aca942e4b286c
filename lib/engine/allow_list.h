/* allow_list.h: from where clients may connect to a listener at all. */
#ifndef EPI__ALLOW_LIST_H
#define EPI__ALLOW_LIST_H

#include "base/net.h"
#include "epi/engine.h"

typedef struct epi__allow epi__allow;
typedef struct epi__listener epi__listener;

/* Read ranges of addresses with commas between. Returns 0, EPI_EINVAL or
 * EPI_ENOMEM. */
int epi__allow_read(epi__allow **out, const char *text);
void epi__allow_free(epi__allow *allow);

/* May a client be there? NULL lets in everybody. */
int epi__allow_has(const epi__allow *allow, const epi_addr *client);

/* One may not, and came: count it, and say so, at most every 10 s. Threads:
 * any. */
void epi__allow_refused(epi_engine *engine, epi__listener *listener,
                        const epi_addr *client);

#endif
