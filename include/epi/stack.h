/* stack.h: stack options of SOCKS 6: how the proxy treats IP, TCP and UDP.
 *
 * A client asks for them in its request; the proxy says in its operation reply
 * what it really did, for each one that it supports, and may do so unasked.
 * Source: draft-olteanu-intarea-socks-6-11 section 8.1. */
#ifndef EPI_STACK_H
#define EPI_STACK_H

#include "socks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options: level * 256 + code of the draft. In brackets the legs that each
 * may be about, and what its value is. */
#define EPI_STACK_TOS            0x101 /* [any] the TOS byte, 0 to 255 */
#define EPI_STACK_HAPPY_EYEBALLS 0x102 /* [remote] EPI_STACK_NO, _YES */
#define EPI_STACK_TTL            0x103 /* [any] TTL or hop limit, 0 to 255 */
#define EPI_STACK_NO_FRAGMENT    0x104 /* [any] EPI_STACK_NO, _YES */
#define EPI_STACK_TFO            0x401 /* [remote] bytes in the SYN, 0: any */
#define EPI_STACK_MULTIPATH      0x402 /* [remote] EPI_STACK_NO, _YES */
#define EPI_STACK_BACKLOG        0x403 /* [remote] connections, 0 to 65535 */
#define EPI_STACK_UDP_ERROR      0x501 /* [remote] EPI_STACK_NO, _YES */
#define EPI_STACK_PORT_PARITY    0x502 /* [remote] a sum of EPI_PARITY_* */

/* Values of the options that are wanted or not (by a client), or that are in
 * force or not (by a proxy). */
#define EPI_STACK_NO  1
#define EPI_STACK_YES 2

/* Values of EPI_STACK_PORT_PARITY: the parity, plus EPI_PARITY_RESERVE to have
 * the port's counterpart reserved. */
#define EPI_PARITY_ANY     0x000
#define EPI_PARITY_EVEN    0x100
#define EPI_PARITY_ODD     0x200
#define EPI_PARITY_RESERVE 0x001

/* Legs. */
#define EPI_LEG_CLIENT 1 /* between client and proxy */
#define EPI_LEG_REMOTE 2 /* between proxy and remote host */
#define EPI_LEG_BOTH   3

/* Set an option of a leg or of both; value -1 removes it.
 *
 * Returns 0 or EPI_EINVAL: no such option, a leg that it cannot be about, or a
 * value out of bounds; nothing changes then. */
EPI_API int epi_request_set_stack(epi_request *request, int leg, int option,
                                  int value);
EPI_API int epi_reply_set_stack(epi_reply *reply, int leg, int option,
                                int value);

/* The value of an option of one leg, EPI_LEG_CLIENT or EPI_LEG_REMOTE.
 *
 * Returns it, EPI_ENOENT (not set; no detail) or EPI_EINVAL (no such option or
 * leg). */
EPI_API int epi_request_stack(const epi_request *request, int leg, int option);
EPI_API int epi_reply_stack(const epi_reply *reply, int leg, int option);

#ifdef __cplusplus
}
#endif

#endif
