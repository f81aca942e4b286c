/* inspect_scan.c: patterns in the data of a flow: refuse, mask or report.
 *
 * To mask, what may yet become a pattern is held back, and nothing else: the
 * automaton's state is exactly that. It sees the data as it came, so that
 * masking one pattern hides no other. */
#include "filter/inspect_flow.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum {
  SAY_MAX = 100,
};

static const char *way_name(int direction) {
  return direction == EPI_FORWARD ? "forward" : "backward";
}

/* Note a pattern, the first time that the flow has it. */
static void note(const epi__inspect_rules *rules, epi__inspect_flow *at,
                 epi_pipe *pipe, int direction, uint32_t number) {
  char say[SAY_MAX];

  for (size_t i = 0; i < at->noted_count; i++) {
    if (at->noted[i] == number) {
      return;
    }
  }
  at->noted[at->noted_count++] = number;
  snprintf(say, sizeof say, "%s pattern %u %s",
           rules->action == EPI__INSPECT_MASK ? "masked" : "found",
           (unsigned)number, way_name(direction));
  epi_pipe_note(pipe, say);
}

/* All patterns that end at a byte are noted, as far as there is room. */
static void note_all(const epi__inspect_rules *rules, epi__inspect_flow *at,
                     epi_pipe *pipe, int direction, uint32_t hit) {
  for (int i = 0;
       hit && i < EPI__INSPECT_NOTED && at->noted_count < EPI__INSPECT_NOTED;
       i++) {
    note(rules, at, pipe, direction, epi__matcher_number(rules->matcher, hit));
    hit = epi__matcher_shorter(rules->matcher, hit);
  }
}

static int refuse(const epi__inspect_rules *rules, epi_pipe *pipe,
                  int direction, uint32_t hit) {
  char why[SAY_MAX];

  snprintf(why, sizeof why, "pattern %u is in the data that goes %s",
           (unsigned)epi__matcher_number(rules->matcher, hit),
           way_name(direction));
  return epi_pipe_refuse(pipe, why);
}

static int look(const epi__inspect_rules *rules, epi__inspect_flow *at,
                epi_pipe *pipe, int direction, const uint8_t *data,
                size_t len) {
  epi__inspect_lane *lane = &at->lanes[direction];
  size_t used = 0;
  uint32_t hit;

  for (;;) {
    used += epi__matcher_find(rules->matcher, &lane->state, data + used,
                              len - used, &hit);
    if (!hit) {
      return epi_pipe_write(pipe, direction, data, len);
    }
    if (rules->action == EPI__INSPECT_REFUSE) {
      return refuse(rules, pipe, direction, hit);
    }
    note_all(rules, at, pipe, direction, hit);
  }
}

/* What was held back and the new data, in a block of its own. */
static uint8_t *joined(const epi__inspect_lane *lane, const uint8_t *data,
                       size_t len) {
  uint8_t *work = epi__alloc(lane->held_len + len);

  if (work) {
    memcpy(work, lane->held, lane->held_len);
    memcpy(work + lane->held_len, data, len);
  }
  return work;
}

/* Write all but what may become a pattern; all is `total` bytes. */
static int write_masked(const epi__inspect_rules *rules, epi_pipe *pipe,
                        epi__inspect_lane *lane, int direction,
                        const uint8_t *all, size_t total) {
  size_t keep = epi__matcher_begun(rules->matcher, lane->state);
  int result = epi_pipe_hold(pipe, (int64_t)keep - (int64_t)lane->held_len);

  if (!result) {
    result = epi_pipe_write(pipe, direction, all, total - keep);
  }
  if (!result && keep) {
    memcpy(lane->held, all + total - keep, keep);
  }
  lane->held_len = keep;
  return result;
}

static int mask(const epi__inspect_rules *rules, epi__inspect_flow *at,
                epi_pipe *pipe, int direction, const uint8_t *data,
                size_t len) {
  epi__inspect_lane *lane = &at->lanes[direction];
  size_t used = 0, total = lane->held_len + len;
  uint8_t *work = NULL;
  uint32_t hit;
  int result;

  if (lane->held_len && !(work = joined(lane, data, len))) {
    return EPI_ENOMEM;
  }
  for (;;) {
    used += epi__matcher_find(rules->matcher, &lane->state, data + used,
                              len - used, &hit);
    if (!hit) {
      break;
    }
    if (!work && !(work = joined(lane, data, len))) {
      return EPI_ENOMEM;
    }
    memset(work + lane->held_len + used - epi__matcher_len(rules->matcher, hit),
           '*', epi__matcher_len(rules->matcher, hit));
    note_all(rules, at, pipe, direction, hit);
  }
  result =
      write_masked(rules, pipe, lane, direction, work ? work : data, total);
  epi__free(work);
  return result;
}

int epi__inspect_scan(const epi__inspect_rules *rules, epi__inspect_flow *at,
                      epi_pipe *pipe, int direction, const uint8_t *data,
                      size_t len) {
  if (!rules->matcher || !(rules->ways >> direction & 1)) {
    return epi_pipe_write(pipe, direction, data, len);
  }
  return rules->action == EPI__INSPECT_MASK
             ? mask(rules, at, pipe, direction, data, len)
             : look(rules, at, pipe, direction, data, len);
}

int epi__inspect_scan_end(epi__inspect_flow *at, epi_pipe *pipe,
                          int direction) {
  epi__inspect_lane *lane = &at->lanes[direction];
  size_t len = lane->held_len;

  lane->held_len = 0;
  epi_pipe_hold(pipe, -(int64_t)len);
  return epi_pipe_write(pipe, direction, lane->held, len);
}
