/* flow_facts.c: what a filter may know about its flow. */
#include "engine/flow.h"

int epi__flow_way(const epi_flow *flow, int lane) {
  return flow->bind ? !lane : lane;
}

int epi__is_own_key(int key) {
  return key >= EPI_META_SOURCE && key <= EPI__META_OWN_LAST;
}

const epi_addr *epi_flow_source(const epi_flow *flow) {
  return &flow->source;
}

const epi_addr *epi_flow_dest(const epi_flow *flow) {
  return &flow->dest;
}

const char *epi_flow_user(const epi_flow *flow) {
  return flow->user;
}

const char *epi_flow_metadata(const epi_flow *flow, int key) {
  if (!flow->request || (epi__is_own_key(key) && !flow->trusted)) {
    return NULL;
  }
  return epi_request_metadata(flow->request, key);
}

const epi_decision *epi_flow_decision(const epi_flow *flow) {
  return flow->decision;
}
