/* proof.h: what shows that functions at endpoints saw a flow.
 *
 * A function has a key of its own, made of the chain key and its name. The
 * proxy that signs a request adds a ticket for each function that the flow
 * shall pass: an HMAC under the function's key over what the proxy claims. A
 * function that finds its ticket knows that a proxy means it, and adds a stamp:
 * an HMAC under its key over the ticket and the stamps before its own. The
 * proxy that comes next makes the same stamps and compares. So nobody can stamp
 * for a function but whoever has its key or the chain key, and no stamp is
 * worth anything in another flow, or in another place of the chain. */
#ifndef EPI__PROOF_H
#define EPI__PROOF_H

#include "socks/claims.h"

enum {
  EPI__FUNCTION_KEY = 32,
  EPI__FUNCTION_NAME = 255,
  EPI__PROOF_MAX = 16, /* functions between two proxies */
};

/* A function that a flow must have passed. */
typedef struct epi__proof_of {
  const char *name;
  int optional; /* the proxy before may have left it out, and then says so */
} epi__proof_of;

/* The key of a function. Returns 0, EPI_EINVAL (its name is too long) or
 * EPI_ECRYPTO. */
int epi__function_key(uint8_t out[EPI__FUNCTION_KEY], const epi__crypto *crypto,
                      const void *chain_key, size_t len, const char *name);

/* Add a function's ticket to a request that was issued and is not signed yet,
 * in the order in which they are passed. Returns 0, EPI_ECRYPTO, EPI_ELIMIT or
 * EPI_ENOMEM. */
int epi__ticket_add(epi_request *request, const epi__crypto *crypto,
                    const uint8_t key[EPI__FUNCTION_KEY]);

/* Is a request meant for the function, here and now? Returns 0; EPI_EAUTH: it
 * has no ticket, or is old, or was seen before, or the functions before this
 * one did not see it; EPI_ECRYPTO, EPI_ELIMIT (as epi__claims_check()) or
 * EPI_ENOMEM. */
int epi__ticket_check(const epi_request *request, const epi__crypto *crypto,
                      const uint8_t key[EPI__FUNCTION_KEY], int64_t now,
                      epi__claims_seen *seen);

/* 1 if no function comes behind the one that checked its ticket. */
int epi__ticket_is_last(const epi_request *request);

/* Stamp what goes on, for a request that came with a ticket. Returns 0,
 * EPI_ECRYPTO, EPI_ELIMIT or EPI_ENOMEM. */
int epi__proof_stamp(epi_request *out, const epi_request *came,
                     const epi__crypto *crypto,
                     const uint8_t key[EPI__FUNCTION_KEY]);

/* Did a request whose claims were checked pass the functions, in this order and
 * no others? Returns 0; EPI_EDENIED, and the detail names the function that it
 * did not pass, or not in its place; EPI_ECRYPTO or EPI_ENOMEM. */
int epi__proof_check(const epi_request *request, const epi__crypto *crypto,
                     const void *chain_key, size_t len,
                     const epi__proof_of *functions, size_t count);

#endif
