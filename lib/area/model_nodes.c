/* model_nodes.c: nodes, their domains and addresses. */
#include "area/model_reader.h"

#include "base/memory.h"
#include "base/net.h"

#include <string.h>

void epi__check_node_name(epi__model_reader *in, const char *name) {
  epi__range range;

  if (!strcmp(name, "unknown")) {
    epi__problem(in, "\"unknown\" is what no node is: choose another name");
  } else if (strpbrk(name, ":/") || (!name[strspn(name, "0123456789.")] &&
                                     !epi__range_parse(&range, name))) {
    epi__problem(in, "the name of a node is no address and has no ':' or '/'");
  }
}

static void read_address(epi__model_reader *in, const epi__json *value,
                         uint32_t node) {
  const char *text = epi__read_string(in, value);
  char name[80];
  size_t there = 0;
  ptrdiff_t entry;

  if (!text) {
    return;
  }
  entry = epi__node_lookup_add(&in->model->lookup, text, node, &there);
  if (entry == EPI_ENOMEM) {
    in->failed = 1;
  } else if (entry == EPI_EBUSY) {
    uint32_t owner = in->model->lookup.entries[there].node;

    if (owner == node) {
      epi__problem(in, "is there twice");
    } else {
      epi__problem(in, "is an address of node \"%s\" already",
                   epi__printable(name, sizeof name,
                                  in->model->node_names.texts[owner]));
    }
  } else if (entry < 0) {
    epi__problem(in, "%s", epi_error_detail());
  }
}

static void read_node(epi__model_reader *in, const epi__json *value,
                      size_t number, uint64_t *set) {
  static const epi__key keys[] = {
      {"domain", EPI__JSON_STRING, 0},
      {"addresses", EPI__JSON_LIST, 0},
      {"attributes", EPI__JSON_LIST, 0},
      {NULL, 0, 0},
  };
  epi__node *node = &in->model->nodes[number];
  const epi__json *values[3], *item;
  const char *domain;
  size_t i = 0;
  size_t back;

  epi__check_node_name(in, epi__json_key(value));
  epi__read_members(in, value, keys, values);
  back = epi__path_key(in, "domain");
  domain = epi__read_string(in, values[0]);
  node->domain = domain && epi__check_name(in, domain)
                     ? epi__number_of(in, &in->model->domains, domain)
                     : EPI__NONE;
  epi__path_back(in, back);

  back = epi__path_key(in, "addresses");
  node->entry = in->model->lookup.count;
  if (values[1] && !epi__too_long(in, values[1], EPI__LIST_MAX)) {
    for (item = epi__json_first(values[1]); item && !in->failed;
         item = epi__json_next(item)) {
      size_t inner = epi__path_index(in, i++);

      read_address(in, item, (uint32_t)number);
      epi__path_back(in, inner);
    }
  }
  node->entry_count = in->model->lookup.count - node->entry;
  epi__path_back(in, back);

  back = epi__path_key(in, "attributes");
  epi__read_attributes(in, values[2], set);
  epi__path_back(in, back);
}

void epi__read_nodes(epi__model_reader *in, const epi__json *nodes) {
  epi_model *model = in->model;
  size_t count = model->node_names.count;
  const epi__json *node = NULL;
  uint64_t *sets = epi__alloc_array(count, model->words * sizeof *sets);
  size_t number = 0;

  model->nodes = epi__alloc_array(count, sizeof *model->nodes);
  if (!sets || !model->nodes) {
    in->failed = 1;
    epi__free(sets);
    return;
  }
  while (!in->failed &&
         (node = epi__next_named(nodes, node, &model->node_names, &number))) {
    size_t back = epi__path_key(in, epi__json_key(node));

    read_node(in, node, number, sets + number * model->words);
    epi__path_back(in, back);
  }
  if (!in->failed && epi__areas_make(model, sets)) {
    in->failed = 1;
  }
  epi__free(sets);
}
