/* overview.c: everything a model says, as one JSON object. */
#include "area/area_order.h"
#include "area/decision.h"
#include "area/gaps.h"

#include "base/json.h"
#include "base/memory.h"

typedef struct numbers { /* over an application's nodes, or over all */
  int64_t supported, unsupported, unbridgeable;
  size_t direct, bridged, refused; /* flows */
  double ratio, cost_ms;
} numbers;

static void put_areas(epi__text *out, const epi_model *model) {
  epi__text_puts(out, ",\"areas\":[");
  for (size_t i = 0; i < model->area_count; i++) {
    epi__text_printf(out, "%s{\"id\":%zu,\"attributes\":", i ? "," : "", i);
    epi__attributes_put(out, model, epi__area_set(model, i));
    epi__text_puts(out, ",\"nodes\":[");
    for (size_t k = model->area_start[i]; k < model->area_start[i + 1]; k++) {
      epi__text_puts(out, k > model->area_start[i] ? "," : "");
      epi__json_put_string(out, model->node_names.texts[model->area_nodes[k]]);
    }
    epi__text_puts(out, "]}");
  }
  epi__text_puts(out, "]");
}

/* Channels between different areas; within one, data may always move. */
static void put_channels(epi__text *out, const epi_model *model) {
  const char *comma = "";

  epi__text_puts(out, ",\"channels\":[");
  for (size_t i = 0; i < model->area_count; i++) {
    for (size_t k = 0; k < model->area_count; k++) {
      if (i != k && epi__set_within(epi__area_set(model, i),
                                    epi__area_set(model, k), model->words)) {
        epi__text_printf(out, "%s{\"from\":%zu,\"to\":%zu}", comma, i, k);
        comma = ",";
      }
    }
  }
  epi__text_puts(out, "]");
}

/* The steps that all channels are made of. above has a slot for each area. */
static void put_order(epi__text *out, const epi_model *model, uint32_t *above) {
  const char *comma = "";

  epi__text_puts(out, ",\"order\":[");
  for (size_t i = 0; i < model->area_count; i++) {
    size_t count = epi__areas_above(model, i, above);

    for (size_t k = 0; k < count; k++) {
      epi__text_printf(out, "%s{\"from\":%zu,\"to\":%u}", comma, i,
                       (unsigned)above[k]);
      comma = ",";
    }
  }
  epi__text_puts(out, "]");
}

/* Returns 0 or EPI_ENOMEM. */
static int count(const epi_model *model, ptrdiff_t application, numbers *out) {
  out->supported = epi_model_pairs(model, application, EPI_PAIRS_SUPPORTED);
  out->unsupported = epi_model_pairs(model, application, EPI_PAIRS_UNSUPPORTED);
  out->unbridgeable =
      epi_model_pairs(model, application, EPI_PAIRS_UNBRIDGEABLE);
  if (out->supported < 0 || out->unsupported < 0 || out->unbridgeable < 0) {
    return EPI_ENOMEM;
  }
  out->ratio = out->unsupported
                   ? (double)out->unbridgeable / (double)out->unsupported
                   : 0;
  return 0;
}

static void put_numbers(epi__text *out, const numbers *all) {
  epi__text_printf(out,
                   "\"supported\":%lld,\"unsupported\":%lld,"
                   "\"unbridgeable\":%lld,\"unfeasibility_ratio\":",
                   (long long)all->supported, (long long)all->unsupported,
                   (long long)all->unbridgeable);
  epi__json_put_number(out, all->ratio);
  epi__text_printf(out, ",\"direct\":%zu,\"bridged\":%zu,\"refused\":%zu",
                   all->direct, all->bridged, all->refused);
  epi__text_puts(out, ",\"cost\":");
  epi__json_put_number(out, all->cost_ms);
}

static size_t count_channels(const epi_model *model, const uint32_t *areas,
                             size_t count) {
  size_t channels = 0;

  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < count; k++) {
      channels += i != k &&
                  epi__set_within(epi__area_set(model, areas[i]),
                                  epi__area_set(model, areas[k]), model->words);
    }
  }
  return channels;
}

static void count_flow(const epi_decision *decision, numbers *sum) {
  int verdict = epi_decision_verdict(decision);

  sum->direct += verdict == EPI_DIRECT;
  sum->bridged += verdict == EPI_BRIDGED;
  sum->refused += !epi_decision_allowed(decision);
  sum->cost_ms += epi_plan_cost_ms(epi_decision_plan(decision));
}

/* Decisions about an application's flows, which are counted. Returns 0 or
 * EPI_ENOMEM. */
static int put_flows(epi__text *out, epi_model *model, uint32_t application,
                     epi_query *query, epi_decision *decision, numbers *sum) {
  size_t flows = epi_model_application_flow_count(model, application);
  int result = epi_query_set(query, EPI_QUERY_APPLICATION,
                             epi_model_application_name(model, application));

  for (size_t i = 0; i < flows && !result; i++) {
    size_t from, to;
    int port;

    result =
        epi_model_application_flow(model, application, i, &from, &to, &port);
    if (!result) {
      result = epi_query_set_from_node(query, epi_model_node_name(model, from));
    }
    if (!result) {
      result =
          epi_query_set_to_node(query, epi_model_node_name(model, to), port);
    }
    if (!result) {
      result = epi_model_decide(model, query, decision);
    }
    if (!result) {
      epi__text_puts(out, out->block[out->len - 1] == '[' ? "" : ",");
      epi__decision_put(out, decision);
      count_flow(decision, sum);
      result = out->failed ? EPI_ENOMEM : 0;
    }
  }
  return result;
}

typedef struct work {
  epi__text out, applications;
  epi_query *query;
  epi_decision *decision;
  uint32_t *marks, *areas;
  epi__gaps gaps;
} work;

/* The areas of an application's nodes, and what lies between them. */
static void put_own_areas(work *w, const epi_model *model,
                          uint32_t application) {
  size_t count = epi__application_areas(model, application, w->areas, w->marks);
  epi__text *out = &w->applications;

  epi__text_printf(out, "\"areas\":%zu,\"channels\":%zu,\"area_ids\":[", count,
                   count_channels(model, w->areas, count));
  for (size_t i = 0; i < count; i++) {
    epi__text_printf(out, "%s%u", i ? "," : "", (unsigned)w->areas[i]);
  }
  epi__text_puts(out, "],");
  epi__gaps_put(out, &w->gaps, w->areas, count);
  epi__text_puts(out, ",");
}

/* The gaps between all areas. */
static void put_gaps(work *w, const epi_model *model) {
  for (size_t i = 0; i < model->area_count; i++) {
    w->areas[i] = (uint32_t)i;
  }
  epi__text_puts(&w->out, ",");
  epi__gaps_put(&w->out, &w->gaps, w->areas, model->area_count);
}

static int put_applications(work *w, epi_model *model, numbers *all) {
  for (uint32_t i = 0; i < model->application_names.count; i++) {
    numbers own = {0};
    int result = put_flows(&w->out, model, i, w->query, w->decision, &own);

    if (!result) {
      result = count(model, (ptrdiff_t)i, &own);
    }
    if (result) {
      return result;
    }
    epi__text_puts(&w->applications, i ? "," : "");
    epi__json_put_string(&w->applications, model->application_names.texts[i]);
    epi__text_puts(&w->applications, ":{");
    put_own_areas(w, model, i);
    put_numbers(&w->applications, &own);
    epi__text_puts(&w->applications, "}");
    all->direct += own.direct;
    all->bridged += own.bridged;
    all->refused += own.refused;
    all->cost_ms += own.cost_ms;
  }
  return 0;
}

static int put_all(work *w, epi_model *model) {
  numbers all = {0};
  int result;

  epi__text_puts(&w->out, "{\"model\":");
  epi__json_put_string(&w->out, model->hash);
  put_areas(&w->out, model);
  put_order(&w->out, model, w->areas);
  put_channels(&w->out, model);
  put_gaps(w, model);
  epi__text_puts(&w->out, ",\"flows\":[");
  result = w->out.failed ? EPI_ENOMEM : put_applications(w, model, &all);
  if (!result) {
    result = count(model, -1, &all);
  }
  if (result) {
    return result;
  }
  epi__text_puts(&w->out, "],\"applications\":{");
  if (w->applications.len) {
    epi__text_add(&w->out, w->applications.block, w->applications.len);
  }
  epi__text_puts(&w->out, "},");
  put_numbers(&w->out, &all);
  epi__text_puts(&w->out, "}");
  return w->applications.failed ? EPI_ENOMEM : 0;
}

int epi_model_overview(const epi_model *model, char **out) {
  /* Only the count of references changes, which any thread may do. */
  epi_model *held = epi_model_ref((epi_model *)(uintptr_t)model);
  work w = {.gaps = {.model = model, .room = EPI__GAPS_ALL}};
  char *block = NULL;
  int result = EPI_ENOMEM;

  w.marks = epi__alloc_array(model->area_count, sizeof *w.marks);
  w.areas = epi__alloc_array(model->area_count, sizeof *w.areas);
  w.gaps.set = epi__alloc_array(model->words, sizeof *w.gaps.set);
  if (w.marks && w.areas && w.gaps.set && !epi_query_new(&w.query) &&
      !epi_decision_new(&w.decision)) {
    result = put_all(&w, held);
  }
  if (!result) {
    block = epi__text_take(&w.out);
    result = block ? 0 : EPI_ENOMEM;
  }
  if (!result) {
    *out = block;
  }
  epi__text_clear(&w.out);
  epi__text_clear(&w.applications);
  epi_query_free(w.query);
  epi_decision_free(w.decision);
  epi__free(w.marks);
  epi__free(w.areas);
  epi__free(w.gaps.set);
  epi_model_free(held);
  return result;
}
