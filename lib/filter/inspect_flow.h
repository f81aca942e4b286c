/* inspect_flow.h: what `inspect` knows about one flow. */
#ifndef EPI__INSPECT_FLOW_H
#define EPI__INSPECT_FLOW_H

#include "filter/client_hello.h"
#include "filter/http_stream.h"
#include "filter/inspect_rules.h"

enum {
  EPI__INSPECT_NOTED = 8, /* different patterns that a flow's notes name */
};

typedef struct epi__inspect_lane {
  uint32_t state;
  size_t held_len;
  uint8_t *held; /* with EPI__INSPECT_MASK: the begin of a pattern, perhaps */
} epi__inspect_lane;

enum { /* what the client speaks */
       EPI__SPEAKS_UNKNOWN,
       EPI__SPEAKS_TLS,
       EPI__SPEAKS_HTTP,
       EPI__SPEAKS_KNOWN, /* nothing is left to find out */
};

typedef struct epi__inspect_flow {
  epi__inspect_lane lanes[2]; /* by direction */
  uint32_t noted[EPI__INSPECT_NOTED];
  size_t noted_count;
  int speaks;
  int named; /* with a list: a host that is on it */
  epi__hello hello;
  epi__queue early; /* records of a ClientHello that must not pass yet */
  epi__http_stream http;
  int64_t waiting; /* bytes of `early` and http, as epi_pipe_hold() knows */
  uint8_t block[];
} epi__inspect_flow;

/* Look for patterns in data, and write it on. Returns 0 or an error. */
int epi__inspect_scan(const epi__inspect_rules *rules, epi__inspect_flow *at,
                      epi_pipe *pipe, int direction, const uint8_t *data,
                      size_t len);

/* The end of a direction: write what was held back. Returns 0 or an error. */
int epi__inspect_scan_end(epi__inspect_flow *at, epi_pipe *pipe, int direction);

/* Find out which host forward data is for, and scan it. Returns 0, an error, or
 * EPI_PASS if nothing is left to do and this data may pass as it is. */
int epi__inspect_name(const epi__inspect_rules *rules, epi__inspect_flow *at,
                      epi_pipe *pipe, const uint8_t *data, size_t len);

/* The end of forward data. Returns 0, or the refusal of a flow that named
 * nobody. */
int epi__inspect_name_end(const epi__inspect_rules *rules,
                          const epi__inspect_flow *at, epi_pipe *pipe);

#endif
