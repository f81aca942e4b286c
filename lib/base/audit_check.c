/* audit_check.c: a log is checked, line by line. */
#include "epi/audit.h"

#include "base/audit_chain.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

enum {
  TIME_LEN = 24, /* 2026-01-31T09:30:00.000Z */
  WHY_MAX = 256,
};

static const char time_key[] = "{\"time\":\"";

struct epi_audit {
  epi__audit_chain chain;
  epi__text line;     /* what is there of the next one */
  int64_t lines;      /* of all files */
  int64_t first;      /* the number of the first one */
  int64_t lines_here; /* of this file */
  int64_t broken;     /* the line; 0: none is */
  char why[WHY_MAX];
  char times[2][TIME_LEN + 1];
};

int epi_audit_new(epi_audit **out, const void *key, size_t len) {
  epi_audit *audit = epi__alloc(sizeof *audit);
  int result =
      audit ? epi__audit_chain_start(&audit->chain, key, len) : EPI_ENOMEM;

  if (result) {
    epi__free(audit);
    return result;
  }
  *out = audit;
  return 0;
}

void epi_audit_free(epi_audit *audit) {
  if (audit) {
    epi__audit_chain_wipe(&audit->chain);
    epi__text_clear(&audit->line);
    epi__free(audit);
  }
}

static int still_broken(const epi_audit *audit) {
  return epi__fail(EPI_EPROTO, "line %" PRId64 ": %s", audit->broken,
                   audit->why);
}

static int broken(epi_audit *audit, const char *why) {
  audit->broken = audit->lines_here + 1;
  epi__printable(audit->why, sizeof audit->why, why);
  return still_broken(audit);
}

static void keep_time(epi_audit *audit, const char *line, size_t len) {
  size_t key_len = sizeof time_key - 1;
  int known = len >= key_len + TIME_LEN && !memcmp(line, time_key, key_len);
  char *to = audit->times[audit->lines > 0];

  memset(to, 0, TIME_LEN + 1);
  if (known) {
    memcpy(to, line + key_len, TIME_LEN);
  }
  if (!audit->lines) {
    memcpy(audit->times[1], to, TIME_LEN + 1);
  }
}

static int check_line(epi_audit *audit) {
  const char *line = audit->line.block;
  size_t len = audit->line.len;

  if (epi__audit_chain_check(&audit->chain, line, len, !audit->lines)) {
    return broken(audit, epi_error_detail());
  }
  keep_time(audit, line, len);
  if (!audit->lines) {
    audit->first = audit->chain.number;
  }
  audit->lines++;
  audit->lines_here++;
  audit->line.len = 0;
  return 0;
}

int epi_audit_feed(epi_audit *audit, const void *data, size_t len) {
  const char *at = data, *end;

  if (audit->broken) {
    return still_broken(audit);
  }
  while (len) {
    size_t part;

    end = memchr(at, '\n', len);
    part = end ? (size_t)(end - at) : len;
    if (audit->line.len + part >= EPI_AUDIT_LINE_MAX) {
      return broken(audit, "it is too long for a line of an audit log");
    }
    epi__text_add(&audit->line, at, part);
    if (audit->line.failed) {
      return EPI_ENOMEM;
    }
    if (end && check_line(audit)) {
      return EPI_EPROTO;
    }
    part += end != NULL;
    at += part;
    len -= part;
  }
  return 0;
}

int epi_audit_end(epi_audit *audit) {
  if (audit->broken) {
    return still_broken(audit);
  }
  if (audit->line.len) {
    return broken(audit, "it is cut off");
  }
  audit->lines_here = 0;
  return 0;
}

int64_t epi_audit_broken_line(const epi_audit *audit) {
  return audit->broken;
}

int64_t epi_audit_number(const epi_audit *audit, int what) {
  switch (what) {
  case EPI_AUDIT_LINES:
    return audit->lines;
  case EPI_AUDIT_FIRST:
    return audit->first;
  case EPI_AUDIT_LAST:
    return audit->lines ? audit->chain.number : 0;
  default:
    return epi__fail(EPI_EINVAL, "an audit log has no number %d", what);
  }
}

const char *epi_audit_text(const epi_audit *audit, int what) {
  switch (what) {
  case EPI_AUDIT_FIRST_TIME:
    return audit->times[0];
  case EPI_AUDIT_LAST_TIME:
    return audit->times[1];
  case EPI_AUDIT_MAC:
    return audit->lines ? audit->chain.mac : "";
  default:
    return NULL;
  }
}
