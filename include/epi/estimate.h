/* estimate.h: how long it takes until the first response is there.
 *
 * The paper's set-up time model, Eq. 6 to 9, the cases that libepi adds, and
 * which method serves a need. C is the client, P the proxy and S the server;
 * the round-trip times between them are in milliseconds. Where a flow passes
 * several proxies, RTT_CP is the sum of the round trips up to the last one. */
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

/* The same over a connection to the proxy that is there already (doc/warm.md),
 * or with the request in its SYN: RTT_CP + 2 RTT_PS. And with the data in the
 * SYN to the server, too (TCP Fast Open): RTT_CP + RTT_PS. */
#define EPI_METHOD_SOCKS6_WARM     7
#define EPI_METHOD_SOCKS6_WARM_TFO 8

/* Estimate the set-up time of one request and response over a new connection.
 *
 * rtt_cp_ms, rtt_ps_ms and rtt_cs_ms are round-trip times; busy_ms is the sum
 * of the t_server, t_proxy and t_redirector that the method's equation has.
 * Returns milliseconds, or -1.0 for an unknown method or a negative or
 * non-finite time. Threads: any. */
EPI_API double epi_estimate_ms(int method, double rtt_cp_ms, double rtt_ps_ms,
                               double rtt_cs_ms, double busy_ms);

/* That sum: all have t_server, all but the direct way t_proxy, SOCKS alone
 * t_redirector.
 *
 * Returns as epi_estimate_ms(). Threads: any. */
EPI_API double epi_estimate_busy_ms(int method, double t_server_ms,
                                    double t_proxy_ms, double t_redirector_ms);

/* A method's name, as epi-check prints it, or NULL. Threads: any. */
EPI_API const char *epi_method_name(int method);

/* ---- the choice of a method ---- */

/* The paper's Table II: what a method is better at than others. */
#define EPI_ADVANTAGE_TIME        1  /* little set-up time */
#define EPI_ADVANTAGE_RATE        2  /* processing rate */
#define EPI_ADVANTAGE_PORTS       4  /* one open port for all pairs of nodes */
#define EPI_ADVANTAGE_RECONFIGURE 8  /* changes without a restart */
#define EPI_ADVANTAGE_DYNAMIC     16 /* chains that share their functions */
#define EPI_ADVANTAGE_SECURITY    32 /* who connects is part of the protocol */

/* The sum of a method's advantages, or EPI_EINVAL; 0 for the direct way, which
 * passes no proxy. What libepi adds to SOCKS 6 takes no more round trips than
 * a reverse proxy, and so has all of them. Threads: any. */
EPI_API int epi_method_advantages(int method);

/* One advantage in words, or NULL. Threads: any. */
EPI_API const char *epi_advantage_text(int advantage);

/* What a flow needs most. */
#define EPI_FOR_LATENCY 1 /* time-critical: the least set-up time */
#define EPI_FOR_RATE    2 /* streams: the highest processing rate */
#define EPI_FOR_BOTH    3

/* Choose a method for a need, as sections VI and VII of the paper reason.
 *
 * methods is the sum of 1 << EPI_METHOD_* of those to choose from, without the
 * direct one. For latency the least estimate decides, for rate the paper's Fig.
 * 13 (SOCKS 6, then the reverse proxy, then SOCKS 5), for both the sum of a
 * method's places in these two orders; among equals the other order, then the
 * number of advantages.
 * Returns the method, or EPI_EINVAL (no such need or method, none at all, or a
 * bad time). Threads: any. */
EPI_API int epi_estimate_choose(int need, int methods, double rtt_cp_ms,
                                double rtt_ps_ms);

/* Is one place for the proxy as good as another, with the method that
 * epi_estimate_choose() chooses for each? The less time, the better: rates do
 * not depend on the place. So the place is near the client, whose round trips
 * count more often.
 *
 * Returns 1, 0, or EPI_EINVAL as above. Threads: any. */
EPI_API int epi_estimate_place(int need, int methods, double rtt_cp_ms,
                               double rtt_ps_ms, double other_cp_ms,
                               double other_ps_ms);

#ifdef __cplusplus
}
#endif

#endif
