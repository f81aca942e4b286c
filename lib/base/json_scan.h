/* json_scan.h: a document is looked over before it is parsed. */
#ifndef EPI__JSON_SCAN_H
#define EPI__JSON_SCAN_H

#include "base/bytes.h"

enum {
  EPI__JSON_DEPTH_MAX = 64,
  EPI__JSON_TOKENS_MAX = 12000000, /* parsed, they take up to 1 GiB */
  EPI__JSON_NUMBER_MAX = 64,       /* cJSON reads no more of one */
};

/* Refuse what is not UTF-8, what only looks like JSON, and what is nested too
 * deep or has too many values. What belongs where is not checked. The detail
 * names the line. Returns 0 or EPI_EMODEL. */
int epi__json_scan(const uint8_t *text, size_t len);

/* The line, from 1, that an offset is in. */
unsigned epi__json_line(const uint8_t *text, size_t offset);

#endif
