/* model_exits.c: which flows the applications have, found by their source. */
#include "area/model.h"

#include "base/memory.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

  return (x > y) - (x < y);
}

/* In an application that lists none, its nodes are those of its flows, in
 * order. seen has a slot for each node, which is a mark + 1 when taken. */
static int collect_nodes(epi__application *application, uint32_t *seen,
                         uint32_t mark) {
  for (size_t i = 0; i < application->move_count; i++) {
    uint32_t ends[2] = {application->moves[i].from, application->moves[i].to};

    for (size_t k = 0; k < 2; k++) {
      if (seen[ends[k]] == mark + 1) {
        continue;
      }
      seen[ends[k]] = mark + 1;
      if (epi__list_add(&application->nodes, ends[k])) {
        return EPI_ENOMEM;
      }
    }
  }
  return 0;
}

static int finish(epi__application *application) {
  size_t nodes = application->nodes.count;

  for (size_t i = 0; i < nodes; i++) {
    if (epi__list_add(&application->members, application->nodes.items[i])) {
      return EPI_ENOMEM;
    }
  }
  if (nodes) {
    qsort(application->members.items, nodes, sizeof(uint32_t), compare);
  }
  if (!application->lists_moves) {
    application->flow_count = nodes ? nodes * (nodes - 1) : 0;
  }
  for (size_t i = 0; i < application->move_count; i++) {
    epi__move *move = &application->moves[i];

    move->first = application->flow_count;
    application->flow_count += move->ports.count ? move->ports.count : 1;
  }
  return 0;
}

/* The source of an application's exit number index, or EPI__NONE past the
 * last. */
static uint32_t source_of(const epi__application *application, size_t index) {
  if (application->lists_moves) {
    return index < application->move_count ? application->moves[index].from
                                           : EPI__NONE;
  }
  return index < application->nodes.count ? application->nodes.items[index]
                                          : EPI__NONE;
}

static void fill(epi_model *model) {
  size_t nodes = model->node_names.count;

  for (size_t i = 0; i < nodes; i++) {
    model->exit_start[i + 1] += model->exit_start[i];
  }
  /* Backwards, so that each start ends up right and the order is kept. */
  for (size_t a = model->application_names.count; a--;) {
    const epi__application *application = &model->applications[a];
    size_t count = application->lists_moves ? application->move_count
                                            : application->nodes.count;

    while (count--) {
      uint32_t from = source_of(application, count);
      epi__exit *out = &model->exits[--model->exit_start[from + 1]];

      out->application = (uint32_t)a;
      out->move = application->lists_moves ? (uint32_t)count : EPI__NONE;
    }
  }
}

int epi__exits_make(epi_model *model) {
  size_t nodes = model->node_names.count;
  uint32_t *seen = epi__alloc_array(nodes, sizeof *seen);
  size_t total = 0;
  int result = EPI_ENOMEM;

  model->exit_start = epi__alloc_array(nodes + 2, sizeof *model->exit_start);
  if (!seen || !model->exit_start) {
    goto done;
  }
  for (size_t i = 0; i < model->application_names.count; i++) {
    epi__application *application = &model->applications[i];
    uint32_t from;

    if (!application->lists_nodes &&
        collect_nodes(application, seen, (uint32_t)i)) {
      goto done;
    }
    if (finish(application)) {
      goto done;
    }
    for (size_t k = 0; (from = source_of(application, k)) != EPI__NONE; k++) {
      model->exit_start[from + 1]++;
      total++;
    }
  }
  model->exits = epi__alloc_array(total, sizeof *model->exits);
  if (!model->exits) {
    goto done;
  }
  fill(model);
  /* Each start sits one slot behind; the last slot ends the last node. */
  for (size_t i = 0; i < nodes; i++) {
    model->exit_start[i] = model->exit_start[i + 1];
  }
  model->exit_start[nodes] = total;
  result = 0;
done:
  epi__free(seen);
  return result;
}

int epi__exit_takes(const epi_model *model, const epi__exit *out, uint32_t to,
                    int port) {
  const epi__application *application = &model->applications[out->application];
  const epi__move *move;

  if (out->move == EPI__NONE) {
    return bsearch(&to, application->members.items, application->members.count,
                   sizeof to, compare) != NULL;
  }
  move = &application->moves[out->move];
  return move->to == to && (!port || !move->ports.count ||
                            epi__list_has(&move->ports, (uint32_t)port));
}
