/* admin_request.h: what an admin asks of an engine: a line of JSON. */
#ifndef EPI__ADMIN_REQUEST_H
#define EPI__ADMIN_REQUEST_H

#include "base/json.h"

enum {
  EPI__ADMIN_VERSION = 1,
  /* A model document of EPI_MODEL_MAX, and room for its escapes. */
  EPI__ADMIN_LINE_MAX = 80 * 1024 * 1024,
};

/* Commands. */
enum {
  EPI__ADMIN_STATUS,
  EPI__ADMIN_FLOWS,
  EPI__ADMIN_EXPLAIN,
  EPI__ADMIN_KILL,
  EPI__ADMIN_MODEL,
  EPI__ADMIN_PLAN,
  EPI__ADMIN_SET_MODEL,
  EPI__ADMIN_SETTINGS,
  EPI__ADMIN_SET,
  EPI__ADMIN_LOG,
  EPI__ADMIN_DRAIN,
  EPI__ADMIN_LISTENERS,
  EPI__ADMIN_LISTEN,
  EPI__ADMIN_UNLISTEN,
  EPI__ADMIN_RELISTEN,
  EPI__ADMIN_INSTANCES,
  EPI__ADMIN_METRICS,
  EPI__ADMIN_RELOAD,
  EPI__ADMIN_COMMANDS,
};

/* What they are told; which command takes which is in admin_request.c. */
enum {
  EPI__ARG_FLOW, /* those from here on, in the order of EPI_MATCH_* ... */
  EPI__ARG_SOURCE,
  EPI__ARG_DEST,
  EPI__ARG_ADDRESS,
  EPI__ARG_RULE,
  EPI__ARG_USER,
  EPI__ARG_APPLICATION, /* ... up to here, say which flows are meant */
  EPI__ARG_ALL,
  EPI__ARG_REASON,
  EPI__ARG_START,
  EPI__ARG_MOST,
  EPI__ARG_DOCUMENT,
  EPI__ARG_CHANGES,
  EPI__ARG_PARAMETER,
  EPI__ARG_VALUE,
  EPI__ARG_LEVEL,
  EPI__ARG_MS,
  EPI__ARG_URL,
  EPI__ARG_BY,
  EPI__ARGS,
};

typedef struct epi__admin_request {
  epi__json *root; /* the texts are its own */
  int command;
  int has_id;
  int64_t id;                   /* for the reply to name */
  unsigned has;                 /* bits by EPI__ARG_* */
  const char *texts[EPI__ARGS]; /* of those that are texts, else NULL */
  int64_t numbers[EPI__ARGS];   /* of numbers, and 1 or 0 for true or false */
} epi__admin_request;

/* Read a line, without its end. Unknown commands and keys, keys that a command
 * does not take or lacks, keys twice and wrong types are errors, which the
 * detail names; has_id and id are set all the same where they could be read.
 *
 * Returns 0, EPI_EINVAL, EPI_EVERSION, EPI_EMODEL (it is not JSON) or
 * EPI_ENOMEM. */
int epi__admin_request_read(epi__admin_request *out, const void *line,
                            size_t len);
void epi__admin_request_clear(epi__admin_request *request);

const char *epi__admin_command_name(int command);
const char *epi__admin_argument_name(int argument);

/* 1 for a command that changes something, and is logged. */
int epi__admin_changes(int command);

#endif
