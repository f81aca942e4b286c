/* filter.h: bridging functions in process.
 *
 * A filter is what a bridging function does, set up once and used by many
 * flows; a pipe is one flow's passage through one filter. The flow's data goes
 * through on_data in both directions and comes out where the filter writes it:
 *
 *     static int upper(epi_pipe *pipe, int direction, const void *data,
 *                      size_t len, void *user) {
 *       char out[256];
 *       ...
 *       return epi_pipe_write(pipe, direction, out, n);
 *     }
 *     ...
 *     epi_filter_new(&filter, "upper");
 *     epi_filter_on_data(filter, upper, NULL);
 *
 * Callbacks run in the engine's workers, several at a time for different
 * flows, one at a time for one flow. They must not block. */
#ifndef EPI_FILTER_H
#define EPI_FILTER_H

#include "addr.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_filter epi_filter;
typedef struct epi_pipe epi_pipe;
typedef struct epi_flow epi_flow; /* its getters are in engine.h */

/* The version of what a filter in a shared object is made for: it has a
 * function of that name and number, which makes the filter from its arguments,
 * as epi_filter_new() does ("" for none), or returns an error and may have set
 * no detail:
 *
 *     EPI_API int epi_filter_entry_1(epi_filter **out, const char *args);
 *
 * Whatever would break an older one gets the next number. */
#define EPI_FILTER_INTERFACE 1

/* Directions. */
#define EPI_FORWARD  0 /* from the flow's source to its destination */
#define EPI_BACKWARD 1

/* What on_open and on_data may return besides 0 and errors: from here on don't
 * call me for this flow, but for on_close. The data of that call of on_data is
 * passed on as it is. What still holds data (epi_pipe_hold()) cannot pass: it
 * fails. */
#define EPI_PASS 1

/* The most that a flow's filters together may write because of one piece of
 * data, in bytes. */
#define EPI_PIPE_MAX (4 * 1024 * 1024)

/* Make a filter that passes everything on. The name is copied.
 *
 * Returns 0, EPI_EINVAL or EPI_ENOMEM. */
EPI_API int epi_filter_new(epi_filter **out, const char *name);

/* Hold a filter once more. Returns its argument. Threads: any, on the same
 * filter too. */
EPI_API epi_filter *epi_filter_ref(epi_filter *filter);

/* Let go of a filter; the last one frees it. NULL is fine. Threads: any, on
 * the same filter too. */
EPI_API void epi_filter_free(epi_filter *filter);

/* The filter's name; it lives as long as the filter. */
EPI_API const char *epi_filter_name(const epi_filter *filter);

/* Call back when a flow opens, before any data.
 *
 * The callback returns 0, EPI_PASS, or an error, which refuses the flow (SOCKS
 * reply 1); so does what is none of these, here and below. Set all callbacks
 * before the filter is used. */
EPI_API void epi_filter_on_open(epi_filter *filter,
                                int (*callback)(epi_pipe *pipe, void *user),
                                void *user);

/* Call back with data. The filter takes all of it: it writes it on, changed or
 * not, or keeps a copy. A filter without this callback passes on opening.
 *
 * The callback returns 0, EPI_PASS, or an error, which cuts the flow. */
EPI_API void epi_filter_on_data(epi_filter *filter,
                                int (*callback)(epi_pipe *pipe, int direction,
                                                const void *data, size_t len,
                                                void *user),
                                void *user);

/* Call back at the end of data in one direction; the filter may still write
 * into that direction, now for the last time.
 *
 * The callback returns 0 or an error, which cuts the flow. */
EPI_API void epi_filter_on_end(epi_filter *filter,
                               int (*callback)(epi_pipe *pipe, int direction,
                                               void *user),
                               void *user);

/* Call back when the flow ends, whatever the reason, if on_open succeeded. */
EPI_API void epi_filter_on_close(epi_filter *filter,
                                 void (*callback)(epi_pipe *pipe, void *user),
                                 void *user);

/* Call back when the time that epi_pipe_set_timer() asked for has come.
 *
 * The callback returns 0, EPI_PASS, or an error, which cuts the flow. */
EPI_API void epi_filter_on_timer(epi_filter *filter,
                                 int (*callback)(epi_pipe *pipe, void *user),
                                 void *user);

/* Bounds of a filter, for epi_filter_set(); the default is in brackets.
 *
 * EPI_FILTER_MEMORY: bytes of a flow that it may hold, by its own account, see
 * epi_pipe_hold() [1,048,576].
 *
 * EPI_FILTER_DEADLINE_MS: how long it may hold a flow's data back: pause a
 * direction without a break, or hold bytes and write nothing. 0: for ever.
 * While a flow's end takes no data, and before both are connected, no time
 * counts [30,000].
 *
 * EPI_FILTER_FAIL_OPEN: 1: its errors take it out of the flow, which goes on
 * without it, and the log says so loudly; but only if in each direction it
 * wrote on as many bytes as it was given, so that nothing is missing or there
 * twice. Else, and with 0, they cut the flow [0]. */
#define EPI_FILTER_MEMORY      1
#define EPI_FILTER_DEADLINE_MS 2
#define EPI_FILTER_FAIL_OPEN   3

/* Set a bound, before the filter is used. Refusals (epi_pipe_refuse()) count
 * whatever EPI_FILTER_FAIL_OPEN says.
 *
 * Returns 0 or EPI_EINVAL (no such bound, or below 0). */
EPI_API int epi_filter_set(epi_filter *filter, int bound, int64_t value);

/* Call back when the filter itself is freed, to free what `user` is. */
EPI_API void epi_filter_on_free(epi_filter *filter,
                                void (*callback)(void *user), void *user);

/* ---- inside callbacks ---- */

/* Pass data on. It is copied.
 *
 * The flow's other filters in that direction see it before the call returns;
 * what on_open writes backward, once they are open.
 * Returns 0, EPI_ELIMIT (over EPI_PIPE_MAX, or filters that write to each other
 * without end), EPI_ESTATE (the direction has ended, the filter passed, or the
 * flow is over) or EPI_ENOMEM, or the error of a filter behind; the flow is cut
 * then, whatever this filter returns. */
EPI_API int epi_pipe_write(epi_pipe *pipe, int direction, const void *data,
                           size_t len);

/* Ask for no data of a direction, with on 1, until it is called with 0, from a
 * callback for the other direction. The flow's peer is held back meanwhile. */
EPI_API void epi_pipe_pause(epi_pipe *pipe, int direction, int on);

/* Keep a pointer of the filter's with the pipe, and read it; NULL at first. */
EPI_API void epi_pipe_set_state(epi_pipe *pipe, void *state);
EPI_API void *epi_pipe_state(const epi_pipe *pipe);

/* Say something about the flow, for the line that logs its end; at most 100
 * bytes of it are kept. No payload. */
EPI_API void epi_pipe_note(epi_pipe *pipe, const char *note);

/* Refuse the flow, with a reason that people read, at most 200 bytes, no
 * payload: it goes into the log and, from on_open, into the reply (SOCKS reply
 * 2). Return what this returns.
 *
 * Returns EPI_EDENIED. */
EPI_API int epi_pipe_refuse(epi_pipe *pipe, const char *reason);

/* Say that the filter holds so many bytes more of this flow, or less if
 * negative, down to none. Returns 0 or EPI_ELIMIT: more than EPI_FILTER_MEMORY;
 * the filter then fails, whatever it returns. */
EPI_API int epi_pipe_hold(epi_pipe *pipe, int64_t bytes);

/* Have on_timer called after ms milliseconds; this replaces what was asked for
 * before; -1 takes it back. It may come later, while a flow's end takes no
 * data. Returns 0, EPI_EINVAL or EPI_ENOTSUP (whoever runs the chain has no
 * clock). */
EPI_API int epi_pipe_set_timer(epi_pipe *pipe, int64_t ms);

/* The time: milliseconds on a clock that never steps, and seconds since 1970
 * UTC. */
EPI_API int64_t epi_pipe_now_ms(const epi_pipe *pipe);
EPI_API int64_t epi_pipe_wall_time(const epi_pipe *pipe);

/* Where the flow comes from and goes to, and who logged in, or "". */
EPI_API const epi_addr *epi_pipe_source(const epi_pipe *pipe);
EPI_API const epi_addr *epi_pipe_dest(const epi_pipe *pipe);
EPI_API const char *epi_pipe_user(const epi_pipe *pipe);

/* Metadata that came with the flow (EPI_META_* of socks.h), or NULL; libepi's
 * own only if it was authenticated. It is valid until the callback returns. */
EPI_API const char *epi_pipe_metadata(const epi_pipe *pipe, int key);

/* Send metadata along to the next proxies, from on_open alone; value NULL or ""
 * removes what there is. libepi's own keys (2000 to 2999) and the chain's (998
 * to 1015) are refused.
 *
 * Returns 0, EPI_EINVAL, EPI_ELIMIT, EPI_ESTATE (too late), EPI_ENOTSUP
 * (whoever runs the chain sends none) or EPI_ENOMEM. */
EPI_API int epi_pipe_set_metadata(epi_pipe *pipe, int key, const char *value);

/* The flow that goes through. */
EPI_API epi_flow *epi_pipe_flow(const epi_pipe *pipe);

#ifdef __cplusplus
}
#endif

#endif
