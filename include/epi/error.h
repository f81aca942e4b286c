/* error.h: what can go wrong, as a number and in words. */
#ifndef EPI_ERROR_H
#define EPI_ERROR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EPI_EINVAL   (-1)
#define EPI_ENOMEM   (-2)
#define EPI_ESTATE   (-3)
#define EPI_ENOTSUP  (-4)
#define EPI_ELIMIT   (-5)
#define EPI_ESYS     (-6)
#define EPI_EPERM    (-7)
#define EPI_ENOENT   (-8)
#define EPI_EBUSY    (-9)
#define EPI_EMODEL   (-10)
#define EPI_EDENIED  (-11)
#define EPI_EPROTO   (-12)
#define EPI_EVERSION (-13)
#define EPI_EAUTH    (-14)
#define EPI_EREFUSED (-15)
#define EPI_ETIMEOUT (-16)
#define EPI_ECLOSED  (-17)
#define EPI_ERESOLVE (-18)
#define EPI_ECRYPTO  (-19)
#define EPI_EFILTER  (-20)

/* Every error once, with what it means: the source of epi_strerror() and of
 * the tables that bindings make. The one function-like macro here. */
#define EPI_ERRORS(X)                                                          \
  X(EPI_EINVAL, "bad argument")                                                \
  X(EPI_ENOMEM, "out of memory")                                               \
  X(EPI_ESTATE, "not possible in this state")                                  \
  X(EPI_ENOTSUP, "not in this build or on this system")                        \
  X(EPI_ELIMIT, "a limit was reached")                                         \
  X(EPI_ESYS, "the operating system refused")                                  \
  X(EPI_EPERM, "privilege is missing")                                         \
  X(EPI_ENOENT, "no such thing")                                               \
  X(EPI_EBUSY, "already in use")                                               \
  X(EPI_EMODEL, "the model document has errors")                               \
  X(EPI_EDENIED, "not allowed by policy")                                      \
  X(EPI_EPROTO, "the peer broke the protocol")                                 \
  X(EPI_EVERSION, "the peer speaks another version")                           \
  X(EPI_EAUTH, "authentication failed")                                        \
  X(EPI_EREFUSED, "the peer refused")                                          \
  X(EPI_ETIMEOUT, "took too long")                                             \
  X(EPI_ECLOSED, "the connection is closed")                                   \
  X(EPI_ERESOLVE, "the name did not resolve")                                  \
  X(EPI_ECRYPTO, "data is forged, damaged or under another key")               \
  X(EPI_EFILTER, "a bridging function failed")

/* Say what an error means, in general.
 *
 * Returns a text that is valid for ever; for a number that is no error of
 * libepi, one that says so. Threads: any. */
EPI_API const char *epi_strerror(int error);

/* Say what the last error of this thread was about: what, where, what to do.
 *
 * Returns "" if nothing failed yet. The text never holds secrets or payload,
 * is cut at 511 bytes, and is valid until this thread's next failing call.
 * Threads: any; each has its own. */
EPI_API const char *epi_error_detail(void);

/* A list of problems: what a call found wrong beyond its return value. */
typedef struct epi_report epi_report;

/* Make an empty report.
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_report_new(epi_report **out);

/* End a report. NULL is fine. */
EPI_API void epi_report_free(epi_report *report);

/* Say how many lines a report holds; at most 1,000 are kept, the last then
 * says how many more there were. */
EPI_API size_t epi_report_count(const epi_report *report);

/* Read a line, from 0, without a line end.
 *
 * Returns NULL past the last line; else a text that is valid until the report
 * is written to again or freed. */
EPI_API const char *epi_report_line(const epi_report *report, size_t index);

#ifdef __cplusplus
}
#endif

#endif
