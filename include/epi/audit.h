/* audit.h: has anybody changed an audit log?
 *
 * An engine that audits (epi_engine_set_audit()) writes a line for each
 * decision and each end. Every line carries its number, the MAC of the line
 * before and its own, so that a change, a loss or an exchange is found by who
 * has the key. doc/audit.md has the format, and what it cannot show: lines that
 * are gone from the end are missed only by who knows how far the log went. */
#ifndef EPI_AUDIT_H
#define EPI_AUDIT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that the key of an audit log has. */
#define EPI_AUDIT_KEY_MIN 16
#define EPI_AUDIT_KEY_MAX 1024

/* The longest line, in bytes with its end. */
#define EPI_AUDIT_LINE_MAX 262144

typedef struct epi_audit epi_audit; /* checks a log; does no I/O */

/* Begin to check a log. The key is needed for the length of this call only.
 *
 * Returns 0, EPI_EINVAL (the length of the key) or EPI_ENOMEM. */
EPI_API int epi_audit_new(epi_audit **out, const void *key, size_t len);

/* NULL is fine. */
EPI_API void epi_audit_free(epi_audit *audit);

/* Take the next bytes of a log, in pieces of any size. Files that follow each
 * other are fed one after the other, each with epi_audit_end().
 *
 * Returns 0; EPI_EPROTO, which stays: the chain is broken, and the detail says
 * in which line of the file and how; or EPI_ENOMEM. */
EPI_API int epi_audit_feed(epi_audit *audit, const void *data, size_t len);

/* This was the end of a file.
 *
 * Returns 0 or EPI_EPROTO, which stays: its last line is cut off, or the chain
 * was broken before. */
EPI_API int epi_audit_end(epi_audit *audit);

/* The line, counted from 1 in its file, in which the chain is broken. Returns 0
 * if it is not. */
EPI_API int64_t epi_audit_broken_line(const epi_audit *audit);

/* What epi_audit_number() tells. */
#define EPI_AUDIT_LINES 1 /* whole lines that were checked, of all files */
#define EPI_AUDIT_FIRST 2 /* the number that the first one carries */
#define EPI_AUDIT_LAST  3 /* and the last one */

/* Returns the number, 0 without a line, or EPI_EINVAL (no such thing). */
EPI_API int64_t epi_audit_number(const epi_audit *audit, int what);

/* What epi_audit_text() tells. */
#define EPI_AUDIT_FIRST_TIME 1 /* of the first line, "" if it has none */
#define EPI_AUDIT_LAST_TIME  2
#define EPI_AUDIT_MAC        3 /* of the last line, 64 hexadecimal digits */

/* Returns a text that is valid until the next call with this object, "" without
 * a line, or NULL (no such thing). */
EPI_API const char *epi_audit_text(const epi_audit *audit, int what);

#ifdef __cplusplus
}
#endif

#endif
