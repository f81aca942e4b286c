/* metrics_text.c: writing metrics: the text format 0.0.4 of Prometheus, and
 * OpenMetrics 1.0, which differ in what a family of counters is called. */
#include "engine/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const kinds[] = {"", "counter", "gauge", "histogram",
                                    "info"};

/* What the samples' names have more than the family's. */
static const char *suffix_of(int kind) {
  return kind == EPI__FAMILY_COUNTER ? "_total"
         : kind == EPI__FAMILY_INFO  ? "_info"
                                     : "";
}

void epi__metrics_family(epi__metrics *out, const char *name, int kind,
                         const char *help) {
  const char *suffix = out->open ? "" : suffix_of(kind);
  const char *type =
      !out->open && kind == EPI__FAMILY_INFO ? "gauge" : kinds[kind];

  out->name = name;
  out->kind = kind;
  epi__text_printf(&out->text, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix,
                   help, name, suffix, type);
}

static void put_value(epi__text *text, const char *value) {
  for (; *value; value++) {
    if (*value == '\n') {
      epi__text_puts(text, "\\n");
      continue;
    }
    if (*value == '"' || *value == '\\') {
      epi__text_puts(text, "\\");
    }
    epi__text_add(text, value, 1);
  }
}

static void begin(epi__metrics *out, const char *const *labels) {
  epi__text_printf(&out->text, "%s%s", out->name, suffix_of(out->kind));
  for (size_t i = 0; labels && labels[i]; i += 2) {
    epi__text_printf(&out->text, "%s%s=\"", i ? "," : "{", labels[i]);
    put_value(&out->text, labels[i + 1]);
    epi__text_puts(&out->text, "\"");
  }
  epi__text_puts(&out->text, labels && labels[0] ? "} " : " ");
}

void epi__metrics_sample(epi__metrics *out, const char *const *labels,
                         int64_t value) {
  begin(out, labels);
  epi__text_printf(&out->text, "%" PRId64 "\n", value);
}

void epi__metrics_micro(epi__metrics *out, const char *const *labels,
                        int64_t value) {
  begin(out, labels);
  epi__text_printf(&out->text, "%" PRId64 ".%06" PRId64 "\n", value / 1000000,
                   value % 1000000);
}

void epi__metrics_one(epi__metrics *out, const char *name, int kind,
                      const char *help, int64_t value) {
  epi__metrics_family(out, name, kind, help);
  epi__metrics_sample(out, NULL, value);
}

void epi__metrics_histogram(epi__metrics *out, const int64_t *bounds_ms,
                            const int64_t *counts, size_t bounds,
                            int64_t sum_ms) {
  int64_t count = 0;

  for (size_t i = 0; i < bounds; i++) {
    count += counts[i];
    epi__text_printf(
        &out->text, "%s_bucket{le=\"%" PRId64 ".%03" PRId64 "\"} %" PRId64 "\n",
        out->name, bounds_ms[i] / 1000, bounds_ms[i] % 1000, count);
  }
  count += counts[bounds];
  epi__text_printf(&out->text,
                   "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum %" PRId64
                   ".%03" PRId64 "\n%s_count %" PRId64 "\n",
                   out->name, count, out->name, sum_ms / 1000, sum_ms % 1000,
                   out->name, count);
}

char *epi__metrics_take(epi__metrics *out) {
  if (out->open) {
    epi__text_puts(&out->text, "# EOF\n");
  }
  return epi__text_take(&out->text);
}
