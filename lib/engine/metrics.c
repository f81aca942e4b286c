/* metrics.c: what an engine counts, added up over its workers. */
#include "engine/metrics.h"
#include "base/fail.h"
#include "base/memory.h"
#include "engine/metrics_text.h"
#include "epi/base.h"
#include "epi/socks.h"
#include "epi/tls.h"
#include "os/os.h"

#include <stdio.h>

int64_t epi__meters_sum(const epi_engine *engine, size_t offset) {
  int64_t total = 0;

  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    const epi__meter *meter = atomic_load(&engine->meters[i]);

    if (meter) {
      total += atomic_load_explicit(
          (const atomic_llong *)(const void *)((const char *)meter + offset),
          memory_order_relaxed);
    }
  }
  return total;
}

static void put_flows(epi__metrics *out, const epi_engine *engine) {
  char number[16];
  const char *labels[] = {"worker", number, NULL};

  epi__metrics_family(out, "epi_flows_open", EPI__FAMILY_GAUGE,
                      "Flows open now, by the worker that has them.");
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    if (atomic_load(&engine->meters[i])) {
      snprintf(number, sizeof number, "%d", i);
      epi__metrics_sample(out, labels,
                          atomic_load(&engine->mailboxes[i].flows));
    }
  }
  epi__metrics_one(out, "epi_flows_limit", EPI__FAMILY_GAUGE,
                   "Flows that may be open at once.",
                   engine->settings[EPI_ENGINE_LIMIT]);
  epi__metrics_one(out, "epi_flows_accepted", EPI__FAMILY_COUNTER,
                   "Connections taken from clients.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_ACCEPTED]));
  epi__metrics_one(out, "epi_flows_allowed", EPI__FAMILY_COUNTER,
                   "Flows that were allowed.",
                   atomic_load(&engine->counts[EPI_COUNT_ALLOWED]));
  epi__metrics_one(out, "epi_flows_refused", EPI__FAMILY_COUNTER,
                   "Flows that policy refused.",
                   atomic_load(&engine->counts[EPI_COUNT_REFUSED]));
  epi__metrics_one(out, "epi_flows_failed", EPI__FAMILY_COUNTER,
                   "Flows that failed otherwise.",
                   atomic_load(&engine->counts[EPI_COUNT_FAILED]));
}

static void put_decisions(epi__metrics *out, const epi_engine *engine) {
  const char *labels[] = {"verdict", "none", NULL};

  epi__metrics_family(out, "epi_decisions", EPI__FAMILY_COUNTER,
                      "Decisions on flows, and on peers of datagrams, by "
                      "verdict; none: without a model.");
  for (int i = 0; i < EPI__METER_VERDICTS; i++) {
    labels[1] = i ? epi_verdict_name(i) : "none";
    epi__metrics_sample(out, labels, EPI__METERS_SUM(engine, verdicts[i]));
  }
}

/* The name at an index of a table, or what stands for all that had no room. */
static const char *name_of(const epi__labels *names, size_t index) {
  return index < names->most ? epi__labels_text(names, index) : "other";
}

/* The next index behind one, of the names and then of "other". */
static size_t next(const epi__labels *names, size_t index) {
  return index + 1 < epi__labels_count(names) ? index + 1
         : index < names->most                ? names->most
                                              : names->most + 1;
}

static size_t first(const epi__labels *names) {
  return epi__labels_count(names) ? 0 : names->most;
}

static void put_rules(epi__metrics *out, const epi_engine *engine) {
  static const char *const outcomes[] = {"refused", "allowed"};
  const epi__labels *names = &engine->meter_names.rules;
  const char *labels[] = {"rule", "", "outcome", "", NULL};

  epi__metrics_family(out, "epi_rule_decisions", EPI__FAMILY_COUNTER,
                      "Decisions, by the rule that decided.");
  for (size_t i = first(names); i <= names->most; i = next(names, i)) {
    labels[1] = name_of(names, i);
    for (int allowed = 0; allowed < 2; allowed++) {
      labels[3] = outcomes[allowed];
      epi__metrics_sample(out, labels,
                          EPI__METERS_SUM(engine, rules[i][allowed]));
    }
  }
}

static void put_chains(epi__metrics *out, const epi_engine *engine) {
  const epi__labels *names = &engine->meter_names.chains;
  const char *labels[] = {"chain", "", NULL};

  epi__metrics_family(out, "epi_chain_flows", EPI__FAMILY_COUNTER,
                      "Flows that were allowed, by the chain that they need.");
  for (size_t i = first(names); i <= names->most; i = next(names, i)) {
    labels[1] = name_of(names, i);
    epi__metrics_sample(out, labels, EPI__METERS_SUM(engine, chains[i]));
  }
}

static void put_filters(epi__metrics *out, const epi_engine *engine) {
  const epi__labels *names = &engine->meter_names.filters;
  const char *labels[] = {"filter", "", "direction", "", NULL};

  epi__metrics_family(out, "epi_filter_bytes", EPI__FAMILY_COUNTER,
                      "Bytes that filters were fed, by filter.");
  for (size_t i = first(names); i <= names->most; i = next(names, i)) {
    labels[1] = name_of(names, i);
    for (int back = 0; back < 2; back++) {
      labels[3] = back ? "back" : "out";
      epi__metrics_sample(
          out, labels,
          EPI__METERS_SUM(engine,
                          filters[i][back ? EPI_BACKWARD : EPI_FORWARD]));
    }
  }
}

static void put_filter_times(epi__metrics *out, const epi_engine *engine) {
  const epi__labels *names = &engine->meter_names.filters;
  const char *labels[] = {"filter", "", NULL};

  epi__metrics_family(out, "epi_filter_seconds", EPI__FAMILY_COUNTER,
                      "Time in the calls of filters, by filter.");
  for (size_t i = first(names); i <= names->most; i = next(names, i)) {
    labels[1] = name_of(names, i);
    epi__metrics_micro(out, labels,
                       EPI__METERS_SUM(engine, filter_ns[i]) / 1000);
  }
}

static void put_replies(epi__metrics *out, const epi_engine *engine) {
  char number[16];
  const char *labels[] = {"reply", number, "text", "", NULL};

  epi__metrics_family(out, "epi_refusals", EPI__FAMILY_COUNTER,
                      "Flows that were refused, by the SOCKS reply code.");
  for (int i = 1; i < EPI__METER_REPLIES; i++) {
    int is_other = i == EPI__METER_REPLIES - 1;

    snprintf(number, sizeof number, is_other ? "other" : "%d", i);
    labels[3] = is_other ? "other" : epi_reply_text(i);
    epi__metrics_sample(out, labels, EPI__METERS_SUM(engine, replies[i]));
  }
}

static void put_bytes(epi__metrics *out, const epi_engine *engine) {
  static const char *const to[] = {"direction", "out", NULL};
  static const char *const from[] = {"direction", "back", NULL};

  epi__metrics_family(out, "epi_bytes", EPI__FAMILY_COUNTER,
                      "Bytes taken from flows: out, from the source to the "
                      "destination, and back.");
  epi__metrics_sample(out, to, EPI__METERS_SUM(engine, bytes[EPI_FORWARD]));
  epi__metrics_sample(out, from, EPI__METERS_SUM(engine, bytes[EPI_BACKWARD]));
}

static void put_time(epi__metrics *out, const epi_engine *engine, int what,
                     const char *name, const char *help) {
  int64_t counts[EPI__METER_BUCKETS + 1];

  for (int i = 0; i <= EPI__METER_BUCKETS; i++) {
    counts[i] = EPI__METERS_SUM(engine, times[what].buckets[i]);
  }
  epi__metrics_family(out, name, EPI__FAMILY_HISTOGRAM, help);
  epi__metrics_histogram(out, epi__meter_bounds, counts, EPI__METER_BUCKETS,
                         EPI__METERS_SUM(engine, times[what].sum_ms));
}

static void put_times(epi__metrics *out, const epi_engine *engine) {
  put_time(out, engine, EPI__METER_HANDSHAKE, "epi_handshake_seconds",
           "From taking a connection to its whole SOCKS request.");
  put_time(
      out, engine, EPI__METER_CONNECT, "epi_connect_seconds",
      "From the decision to the first hop, or the destination, connected.");
  put_time(out, engine, EPI__METER_SETUP, "epi_setup_seconds",
           "From taking a connection until its data may pass.");
  put_time(out, engine, EPI__METER_FLOW, "epi_flow_seconds",
           "How long flows lived that carried data.");
}

static void put_names(epi__metrics *out, const epi_engine *engine) {
  epi__metrics_one(out, "epi_dns_hits", EPI__FAMILY_COUNTER,
                   "Names whose addresses were remembered.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_NAME_HITS]));
  epi__metrics_one(out, "epi_dns_misses", EPI__FAMILY_COUNTER,
                   "Names that were looked up.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_NAME_MISSES]));
  epi__metrics_one(out, "epi_dns_failures", EPI__FAMILY_COUNTER,
                   "Lookups that found no address.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_NAME_FAILURES]));
  put_time(out, engine, EPI__METER_LOOKUP, "epi_dns_seconds",
           "How long lookups took.");
}

static void put_pool(epi__metrics *out, const epi_engine *engine) {
  epi__metrics_one(out, "epi_warm_hits", EPI__FAMILY_COUNTER,
                   "Flows that found a connection to their first hop.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_WARM_HITS]));
  epi__metrics_one(out, "epi_warm_misses", EPI__FAMILY_COUNTER,
                   "Flows that had to connect to their first hop.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_WARM_MISSES]));
  epi__metrics_one(out, "epi_warm_open", EPI__FAMILY_GAUGE,
                   "Connections to hops that wait for flows.",
                   EPI__METERS_SUM(engine, counts[EPI__METER_WARM_OPEN]));
}

static void put_audit(epi__metrics *out, const epi_engine *engine) {
  epi__metrics_one(out, "epi_audit_lines", EPI__FAMILY_COUNTER,
                   "Lines handed over to the audit log.",
                   atomic_load(&engine->audit_lines));
  epi__metrics_one(out, "epi_audit_failures", EPI__FAMILY_COUNTER,
                   "Lines that the audit log could not take.",
                   atomic_load(&engine->audit_lost));
}

static void put_log(epi__metrics *out, const epi_engine *engine) {
  epi__metrics_one(out, "epi_log_suppressed", EPI__FAMILY_COUNTER,
                   "Log lines that were only counted, for there were many.",
                   atomic_load(&engine->suppressed));
}

static void put_model(epi__metrics *out, epi_engine *engine) {
  const char *labels[] = {"hash", "", NULL};
  epi__policy *policy;

  pthread_mutex_lock(&engine->lock);
  policy = engine->policy ? epi__policy_ref(engine->policy) : NULL;
  pthread_mutex_unlock(&engine->lock);
  epi__metrics_family(out, "epi_model", EPI__FAMILY_INFO,
                      "The model in force, by the SHA-256 of its document.");
  if (policy) {
    labels[1] = epi_model_hash(epi__policy_model(policy));
    epi__metrics_sample(out, labels, 1);
  }
  epi__policy_free(policy);
  epi__metrics_one(out, "epi_model_changes", EPI__FAMILY_COUNTER,
                   "How often a model was set.",
                   atomic_load(&engine->generation));
}

static void put_revoked(epi__metrics *out, epi_engine *engine) {
  epi__revocation last;

  pthread_mutex_lock(&engine->lock);
  last = engine->revocation;
  pthread_mutex_unlock(&engine->lock);
  epi__metrics_one(out, "epi_revoked_flows", EPI__FAMILY_COUNTER,
                   "Flows that a new model cut.", last.ever);
  epi__metrics_one(out, "epi_revoke_flows", EPI__FAMILY_GAUGE,
                   "Flows that the last change of the model cut.", last.cut);
  epi__metrics_family(out, "epi_revoke_seconds", EPI__FAMILY_GAUGE,
                      "From the last change of the model to its last cut.");
  epi__metrics_micro(out, NULL, (last.last_at - last.began_at) * 1000);
}

static void put_build(epi__metrics *out, epi_engine *engine) {
  const char *labels[] = {"version", epi_version(), "tls", epi_tls_library(),
                          NULL};

  epi__metrics_family(out, "epi_build", EPI__FAMILY_INFO,
                      "The libepi that runs.");
  epi__metrics_sample(out, labels, 1);
  epi__metrics_one(out, "epi_ready", EPI__FAMILY_GAUGE,
                   "1 if new connections are taken.",
                   epi__engine_is_ready(engine));
  epi__metrics_one(out, "epi_start_time_seconds", EPI__FAMILY_GAUGE,
                   "When the engine was made, in seconds since 1970 UTC.",
                   engine->made_at);
}

static void put_if(epi__metrics *out, const char *name, const char *help,
                   int64_t value) {
  if (value >= 0) {
    epi__metrics_one(out, name, EPI__FAMILY_GAUGE, help, value);
  }
}

static void put_process(epi__metrics *out) {
  epi__usage usage = epi__process_usage();

  put_if(out, "process_open_fds", "Descriptors in use.", usage.fds);
  put_if(out, "process_max_fds", "Descriptors that the limit allows.",
         usage.fds_most);
  put_if(out, "process_resident_memory_bytes", "Memory in use.",
         usage.resident);
  put_if(out, "process_virtual_memory_bytes", "Addresses in use.",
         usage.mapped);
  if (usage.cpu_us >= 0) {
    epi__metrics_family(out, "process_cpu_seconds", EPI__FAMILY_COUNTER,
                        "Processor time of all threads.");
    epi__metrics_micro(out, NULL, usage.cpu_us);
  }
}

int epi_engine_metrics(epi_engine *engine, int format, char **out) {
  epi__metrics metrics = {.open = format == EPI_METRICS_OPEN};
  char *text;

  if (format != EPI_METRICS_PROMETHEUS && format != EPI_METRICS_OPEN) {
    return epi__fail(EPI_EINVAL, "no format %d of metrics", format);
  }
  put_build(&metrics, engine);
  put_model(&metrics, engine);
  put_revoked(&metrics, engine);
  put_flows(&metrics, engine);
  put_decisions(&metrics, engine);
  put_rules(&metrics, engine);
  put_chains(&metrics, engine);
  put_replies(&metrics, engine);
  put_bytes(&metrics, engine);
  put_times(&metrics, engine);
  put_filters(&metrics, engine);
  put_filter_times(&metrics, engine);
  put_pool(&metrics, engine);
  put_names(&metrics, engine);
  epi__metrics_put_tls(&metrics, engine);
  put_audit(&metrics, engine);
  put_log(&metrics, engine);
  put_process(&metrics);
  text = epi__metrics_take(&metrics);
  if (!text) {
    return EPI_ENOMEM;
  }
  *out = text;
  return 0;
}
