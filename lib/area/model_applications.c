/* model_applications.c: applications and their flows. */
#include "area/model_reader.h"

#include "base/memory.h"

#include <string.h>

static uint32_t read_end(epi__model_reader *in, const epi__json *value,
                         const char *key, const epi__application *application,
                         const uint64_t *members) {
  size_t back = epi__path_key(in, key);
  uint32_t node =
      epi__read_reference(in, value, "node", &in->model->node_names);
  char name[80];

  if (node != EPI__NONE && application->lists_nodes &&
      !epi__set_has(members, node)) {
    epi__problem(
        in, "\"%s\" is not among the nodes of this application",
        epi__printable(name, sizeof name, in->model->node_names.texts[node]));
  }
  epi__path_back(in, back);
  return node;
}

static void read_move(epi__model_reader *in, const epi__json *value,
                      epi__application *application, const uint64_t *members) {
  static const epi__key keys[] = {
      {"from", EPI__JSON_STRING, 1},
      {"to", EPI__JSON_STRING, 1},
      {"ports", EPI__JSON_LIST, 0},
      {NULL, 0, 0},
  };
  const epi__json *values[3];
  epi__move *moved;
  epi__move move = {0};
  size_t back;

  epi__read_members(in, value, keys, values);
  move.from = read_end(in, values[0], "from", application, members);
  move.to = read_end(in, values[1], "to", application, members);
  back = epi__path_key(in, "ports");
  epi__read_ports(in, values[2], &move.ports);
  epi__path_back(in, back);
  moved = epi__grow(application->moves, application->move_count,
                    &application->move_capacity, sizeof *moved);
  if (!moved) {
    epi__free(move.ports.items);
    in->failed = 1;
    return;
  }
  application->moves = moved;
  application->moves[application->move_count++] = move;
}

static void read_moves(epi__model_reader *in, const epi__json *list,
                       epi__application *application, uint64_t *members) {
  const epi__json *item = epi__json_first(list);

  application->lists_moves = 1;
  epi__check_filled(in, list);
  if (epi__too_long(in, list, EPI__LIST_MAX)) {
    return;
  }
  for (size_t i = 0; i < application->nodes.count; i++) {
    epi__set_add(members, application->nodes.items[i]);
  }
  for (size_t i = 0; item && !in->failed; item = epi__json_next(item), i++) {
    size_t back = epi__path_index(in, i);

    read_move(in, item, application, members);
    epi__path_back(in, back);
  }
}

static void read_limits(epi__model_reader *in, const epi__json *value,
                        epi__limits *limits) {
  static const epi__key keys[] = {
      {"flows", EPI__JSON_NUMBER, 0},      {"bytes_out", EPI__JSON_NUMBER, 0},
      {"bytes_back", EPI__JSON_NUMBER, 0}, {"rate_out", EPI__JSON_NUMBER, 0},
      {"rate_back", EPI__JSON_NUMBER, 0},  {NULL, 0, 0},
  };
  const struct {
    int64_t *number, most;
  } limit[] = {
      {&limits->flows, EPI__LIMIT_MAX},
      {&limits->bytes[EPI__OUT], EPI__BYTES_MAX},
      {&limits->bytes[EPI__BACK], EPI__BYTES_MAX},
      {&limits->rates[EPI__OUT], EPI__RATE_MAX},
      {&limits->rates[EPI__BACK], EPI__RATE_MAX},
  };
  const epi__json *values[5];

  epi__read_members(in, value, keys, values);
  for (size_t i = 0; keys[i].name; i++) {
    size_t back = epi__path_key(in, keys[i].name);

    if (values[i]) {
      *limit[i].number = epi__read_whole(in, values[i], 1, limit[i].most);
    }
    epi__path_back(in, back);
  }
}

static void read_application(epi__model_reader *in, const epi__json *value,
                             epi__application *application) {
  static const epi__key keys[] = {
      {"purpose", EPI__JSON_STRING, 0}, {"dataset", EPI__JSON_STRING, 0},
      {"nodes", EPI__JSON_LIST, 0},     {"flows", EPI__JSON_LIST, 0},
      {"limits", EPI__JSON_OBJECT, 0},  {NULL, 0, 0},
  };
  size_t words = epi__set_words(in->model->node_names.count);
  const epi__json *values[5];
  uint64_t *members;
  size_t back;

  epi__read_members(in, value, keys, values);
  back = epi__path_key(in, "purpose");
  application->purpose = epi__read_term(in, values[0]);
  epi__path_back(in, back);
  back = epi__path_key(in, "dataset");
  application->dataset = epi__read_term(in, values[1]);
  epi__path_back(in, back);
  if (!values[2] && !values[3]) {
    epi__problem(in, "needs \"nodes\" or \"flows\"");
  }
  back = epi__path_key(in, "nodes");
  application->lists_nodes = values[2] != NULL;
  epi__read_references(in, values[2], "node", &in->model->node_names,
                       EPI__LIST_MAX, &application->nodes);
  epi__path_back(in, back);
  back = epi__path_key(in, "limits");
  read_limits(in, values[4], &application->limits);
  epi__path_back(in, back);
  if (!values[3]) {
    return;
  }
  members = epi__alloc_array(words, sizeof *members);
  if (!members) {
    in->failed = 1;
    return;
  }
  back = epi__path_key(in, "flows");
  read_moves(in, values[3], application, members);
  epi__path_back(in, back);
  epi__free(members);
}

void epi__read_applications(epi__model_reader *in,
                            const epi__json *applications) {
  epi_model *model = in->model;
  const epi__json *application = NULL;
  size_t number = 0;

  model->applications = epi__alloc_array(model->application_names.count,
                                         sizeof *model->applications);
  if (!model->applications) {
    in->failed = 1;
    return;
  }
  while (!in->failed &&
         (application = epi__next_named(applications, application,
                                        &model->application_names, &number))) {
    size_t back = epi__path_key(in, epi__json_key(application));

    read_application(in, application, &model->applications[number]);
    epi__path_back(in, back);
  }
}
