/* estimate.h: how long it takes until the first response is there.
 *
 * The paper's set-up time model, Eq. 6 to 9. C is the client, P the proxy and
 * S the server; the round-trip times between them are in milliseconds. */
#ifndef EPI_ESTIMATE_H
#define EPI_ESTIMATE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EPI_METHOD_DIRECT       1 /* Eq. 6: 2 RTT_CS */
#define EPI_METHOD_REVERSE      2 /* Eq. 7: 2 RTT_CP + 2 RTT_PS */
#define EPI_METHOD_SOCKS5       3 /* Eq. 8 without authentication: 4 RTT_CP */
#define EPI_METHOD_SOCKS5_LOGIN 4 /* Eq. 8 as printed: 5 RTT_CP + 2 RTT_PS */
#define EPI_METHOD_SOCKS6       5 /* Eq. 9: 3 RTT_CP + 2 RTT_PS */
#define EPI_METHOD_SOCKS6_EARLY 6 /* data goes with the request: 2 RTT_CP */

/* Estimate the set-up time of one request and response over a new connection.
 *
 * rtt_cp_ms, rtt_ps_ms and rtt_cs_ms are round-trip times; busy_ms is the sum
 * of the t_server, t_proxy and t_redirector that the method's equation has.
 * Returns milliseconds, or -1.0 for an unknown method or a negative or
 * non-finite time. Threads: any. */
EPI_API double epi_estimate_ms(int method, double rtt_cp_ms, double rtt_ps_ms,
                               double rtt_cs_ms, double busy_ms);

#ifdef __cplusplus
}
#endif

#endif
