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

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_filter epi_filter;
typedef struct epi_pipe epi_pipe;
typedef struct epi_flow epi_flow; /* its getters are in engine.h */

/* Directions. */
#define EPI_FORWARD  0 /* from the flow's source to its destination */
#define EPI_BACKWARD 1

/* What on_open and on_data may return besides 0 and errors: from here on don't
 * call me for this flow, but for on_close. The data of that call of on_data is
 * passed on as it is. */
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
 * reply 1). Set all callbacks before the filter is used. */
EPI_API void epi_filter_on_open(epi_filter *filter,
                                int (*callback)(epi_pipe *pipe, void *user),
                                void *user);

/* Call back with data. The filter takes all of it: it writes it on, changed or
 * not, or keeps a copy.
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

/* Call back when the filter itself is freed, to free what `user` is. */
EPI_API void epi_filter_on_free(epi_filter *filter,
                                void (*callback)(void *user), void *user);

/* ---- inside callbacks ---- */

/* Pass data on. It is copied.
 *
 * The flow's other filters in that direction see it before the call returns.
 * Returns 0, EPI_ELIMIT (over EPI_PIPE_MAX, or filters that write to each other
 * without end), EPI_ESTATE (the direction has ended, or the filter passed) or
 * EPI_ENOMEM, or the error of a filter behind; the flow is cut then, whatever
 * this filter returns. */
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

/* The flow that goes through. */
EPI_API epi_flow *epi_pipe_flow(const epi_pipe *pipe);

#ifdef __cplusplus
}
#endif

#endif
