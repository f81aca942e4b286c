/* fail.h: how a function of libepi says that it failed, and of what. */
#ifndef EPI__FAIL_H
#define EPI__FAIL_H

#include "epi/error.h"

#if defined(__GNUC__)
#define EPI__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define EPI__PRINTF(text, first)
#endif

/* Keep the detail for this thread and return the code. Say it once, where the
 * cause is known; callers pass the code on. */
int epi__fail(int code, const char *format, ...) EPI__PRINTF(2, 3);

/* Empty this thread's detail: before a callback of the program, which cannot
 * set one itself, so that its error is not explained by an older one. */
void epi__fail_forget(void);

/* Add a line to a report; NULL is fine. Returns 0 or EPI_ENOMEM. */
int epi__report_add(epi_report *report, const char *format, ...)
    EPI__PRINTF(2, 3);

/* Copy text into buf, at most size bytes with NUL, replacing what could
 * mislead a log or a terminal by '?'. Returns buf. */
const char *epi__printable(char *buf, size_t size, const char *text);

#endif
