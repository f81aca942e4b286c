/* redirect.h: interception rules for a node's connections.
 *
 * A redirect says what to intercept and where to send it. It can be rendered
 * as text, applied to the kernel and removed. It covers TCP, IPv4 and IPv6,
 * of connections that this network namespace opens. */
#ifndef EPI_REDIRECT_H
#define EPI_REDIRECT_H

#include "addr.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_redirect epi_redirect;

/* How the kernel is told. */
#define EPI_BACKEND_NFTABLES 1 /* table inet epi_redirect, of our own */
#define EPI_BACKEND_IPTABLES 2 /* chain EPI_REDIRECT in nat, v4 and v6 */

/* The mark of connections that are never intercepted; libepi's proxies set it
 * on theirs where they may ("epi" in ASCII). */
#define EPI_MARK 0x657069

/* Make a redirect: everything but loopback, to a local port.
 *
 * port is where the redirector listens, on 127.0.0.1 and ::1, 1 to 65535.
 * Returns 0, EPI_EINVAL or EPI_ENOMEM. */
EPI_API int epi_redirect_new(epi_redirect **out, int port);

/* End a redirect; rules that were applied stay. NULL is fine. */
EPI_API void epi_redirect_free(epi_redirect *redirect);

/* Intercept connections to this port only; call it for each, up to 128.
 *
 * Returns 0, EPI_EINVAL or EPI_ELIMIT. */
EPI_API int epi_redirect_add_port(epi_redirect *redirect, int port);

/* Intercept connections to this range only, as in "10.0.0.0/8" or
 * "2001:db8::/32"; call it for each, up to 128. Without any of a family, all
 * of that family is intercepted if there is none of the other either.
 *
 * Returns 0, EPI_EINVAL or EPI_ELIMIT. */
EPI_API int epi_redirect_add_range(epi_redirect *redirect, const char *range);

/* Never intercept connections to an address, as the proxy's; port 0 means all
 * ports of it. Up to 128.
 *
 * Returns 0, EPI_EINVAL (a name is not possible here) or EPI_ELIMIT. */
EPI_API int epi_redirect_except(epi_redirect *redirect, const epi_addr *addr);

/* Never intercept connections of a user. Up to 16.
 *
 * Returns 0, EPI_EINVAL or EPI_ELIMIT. */
EPI_API int epi_redirect_except_uid(epi_redirect *redirect, int64_t uid);

/* Intercept connections to loopback addresses as well: 1 or 0. */
EPI_API void epi_redirect_set_loopback(epi_redirect *redirect, int on);

/* Write the rules as text: for nftables what `nft -f` takes; for iptables what
 * iptables-restore takes, or with family 6 ip6tables-restore (family plays no
 * part for nftables). Free it with epi_free().
 *
 * Returns 0, EPI_EINVAL or EPI_ENOMEM. */
EPI_API int epi_redirect_render(const epi_redirect *redirect, int backend,
                                int family, char **out);

/* Put the rules in force, all or none, instead of those of an earlier
 * redirect, which a killed redirector may have left.
 *
 * Returns 0; EPI_EPERM (CAP_NET_ADMIN is missing); EPI_ENOTSUP (this build or
 * kernel cannot); EPI_ESYS (the kernel's words are in the detail) or
 * EPI_ENOMEM. Threads: one at a time in a process. */
EPI_API int epi_redirect_apply(const epi_redirect *redirect, int backend);

/* Remove the rules of any redirect from this network namespace.
 *
 * Returns 1 if there were some, 0 if not, or an error as above. Threads: one
 * at a time in a process. */
EPI_API int epi_redirect_remove(int backend);

/* Say whether rules of a redirect are in force in this network namespace.
 *
 * Returns 1, 0, or an error as above. Threads: one at a time in a process. */
EPI_API int epi_redirect_present(int backend);

#ifdef __cplusplus
}
#endif

#endif
