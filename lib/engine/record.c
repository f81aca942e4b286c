/* record.c: the bridging function that records who moved how much where. */
#include "engine/record.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/flow.h"
#include "os/os.h"

#include <inttypes.h>
#include <time.h>

enum {
  VALUE_MAX = 256, /* bytes of a value */
};

typedef struct recorder {
  epi__record_file *file;
  int refuse;
} recorder;

typedef struct passage {
  int64_t opened_at;
  int64_t bytes[2];
} passage;

/* What is not known is left out. */
static void put(epi__text *line, const char *key, const char *value) {
  char clean[VALUE_MAX];

  if (value && *value) {
    epi__text_printf(line, ",\"%s\":", key);
    epi__json_put_string(line, epi__printable(clean, sizeof clean, value));
  }
}

static void put_time(epi__text *line) {
  time_t now = (time_t)epi__clock_wall();
  char stamp[32] = "";
  struct tm utc;

  if (gmtime_r(&now, &utc)) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
  put(line, "time", stamp);
}

static void put_flow(epi__text *line, const epi_flow *flow) {
  const epi_decision *decision = flow->decision;
  const char *application =
      decision ? epi_decision_application(decision) : NULL;
  epi__addr_buf source, dest;

  epi__text_printf(line, ",\"flow\":%" PRId64, flow->number);
  put(line, "from", epi__addr_text(&flow->source, &source));
  put(line, "to", epi__addr_text(&flow->dest, &dest));
  put(line, "user", epi_flow_user(flow));
  put(line, "application",
      application ? application
                  : epi_flow_metadata(flow, EPI_META_APPLICATION));
  put(line, "purpose", epi_flow_metadata(flow, EPI_META_PURPOSE));
  if (decision) {
    put(line, "from_node", epi_decision_from(decision));
    put(line, "to_node", epi_decision_to(decision));
    put(line, "rule", epi_decision_rule(decision));
  }
}

/* Write the line of an event; at is NULL for the opening. */
static int write_line(const recorder *my, const epi_flow *flow,
                      const passage *at) {
  epi__text line = {0};
  int result = EPI_ENOMEM;

  epi__text_printf(&line, "{\"event\":\"%s\"", at ? "end" : "open");
  put_time(&line);
  put_flow(&line, flow);
  if (at) {
    epi__text_printf(&line,
                     ",\"out\":%" PRId64 ",\"back\":%" PRId64
                     ",\"duration_ms\":%" PRId64,
                     at->bytes[EPI_FORWARD], at->bytes[EPI_BACKWARD],
                     epi__clock_steady() - at->opened_at);
    put(&line, "reason", flow->why);
  }
  epi__text_puts(&line, "}\n");
  if (!line.failed) {
    result = epi__record_file_put(my->file, line.block, line.len);
  }
  epi__text_clear(&line);
  return result;
}

static int on_open(epi_pipe *pipe, void *user) {
  const recorder *my = user;
  passage *at = epi__alloc(sizeof *at);
  int result = my->refuse ? epi__record_file_state(my->file) : 0;

  if (!at) {
    return EPI_ENOMEM;
  }
  at->opened_at = epi__clock_steady();
  if (!result) {
    result = write_line(my, epi_pipe_flow(pipe), NULL);
  }
  if (result && my->refuse) {
    epi__free(at);
    return result;
  }
  epi_pipe_set_state(pipe, at);
  return 0;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  passage *at = epi_pipe_state(pipe);

  (void)user;
  at->bytes[direction] += (int64_t)len;
  return epi_pipe_write(pipe, direction, data, len);
}

static void on_close(epi_pipe *pipe, void *user) {
  passage *at = epi_pipe_state(pipe);

  write_line(user, epi_pipe_flow(pipe), at); /* what is dropped is counted */
  epi__free(at);
}

static void on_free(void *user) {
  recorder *my = user;

  epi__record_file_free(my->file);
  epi__free(my);
}

int epi__record_new(epi_filter **out, const char *path, int refuse) {
  epi_filter *filter;
  recorder *my = epi__alloc(sizeof *my);
  int result;

  if (!my) {
    return EPI_ENOMEM;
  }
  my->refuse = refuse;
  result = epi__record_file_new(&my->file, path);
  if (!result) {
    result = epi_filter_new(&filter, "record");
  }
  if (result) {
    on_free(my);
    return result;
  }
  epi_filter_on_open(filter, on_open, my);
  epi_filter_on_data(filter, on_data, my);
  epi_filter_on_close(filter, on_close, my);
  epi_filter_on_free(filter, on_free, my);
  *out = filter;
  return 0;
}
