/* private_dest.c: destinations that are private, and that the model does not
 * name.
 *
 * Who may reach `unknown` may reach the Internet; that a proxy stands in a
 * hospital's network must not open that network to him, nor the machine that
 * the proxy runs on. */
#include "area/policy_match.h"

int epi__model_is_private(const epi_model *model, const epi_addr *ip) {
  epi__addr_buf text;

  return !model->private_any && epi__addr_is_private(ip) &&
         epi__names_find(&model->endpoints, epi__addr_text(ip, &text)) < 0;
}

void epi__model_find_ranges(epi_model *model) {
  for (size_t i = 0; i < model->rule_names.count; i++) {
    const epi__parties *to = &model->rules[i].to;

    for (size_t k = 0; k < to->count; k++) {
      model->names_ranges |= to->items[k].kind == EPI__PARTY_RANGE;
    }
  }
}

int epi__model_asks_apart(const epi_model *model, int name_has_node,
                          const epi_addr *ip) {
  return epi__model_is_private(model, ip) ||
         (!name_has_node && model->names_ranges);
}
