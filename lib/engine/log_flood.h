/* log_flood.h: of very many log lines of a kind, a few and how many there were.
 *
 * Lines that a format makes are of a kind; of errors, those that say the same
 * but for words with digits in them, so that the first of each gets out
 * whatever else goes wrong. Of a kind so many go out in a second; the others
 * become one line each ten seconds, with the last of them. */
#ifndef EPI__LOG_FLOOD_H
#define EPI__LOG_FLOOD_H

#include <stddef.h>
#include <stdint.h>

enum {
  EPI__FLOOD_LINE = 400, /* bytes of such a line with its NUL */
  EPI__FLOOD_MS = 10000,
};

typedef struct epi__log_flood epi__log_flood;

/* Returns 0 or EPI_ENOMEM. */
int epi__log_flood_new(epi__log_flood **out);

/* NULL is fine. */
void epi__log_flood_free(epi__log_flood *flood);

/* A line is there, at a time in milliseconds. Returns 1 if it may go out, by a
 * limit of most lines of a kind in a second; 0: it was counted. */
int epi__log_flood_take(epi__log_flood *flood, int level, const char *format,
                        const char *line, int64_t now, int64_t most);

/* Write a line about what was counted, if it is time, or anyhow. Returns its
 * level, or 0: there is none. Call it again then. */
int epi__log_flood_due(epi__log_flood *flood, int64_t now, int anyhow,
                       char out[EPI__FLOOD_LINE]);

/* 1 if something was counted that no line has said. */
int epi__log_flood_waits(const epi__log_flood *flood);

#endif
