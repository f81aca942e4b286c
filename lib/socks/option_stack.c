/* option_stack.c: stack options as bytes (draft-11 section 8.1). */
#include "base/fail.h"
#include "socks/options.h"

enum { LEVEL_BITS = 6 }; /* of a byte whose first two bits are the leg */

/* What takes both bytes of an option; the others have padding in the second. */
static int is_wide(int option) {
  return option == EPI_STACK_TFO || option == EPI_STACK_BACKLOG ||
         option == EPI_STACK_PORT_PARITY;
}

/* What the proxy does not know, or cannot do for that leg, it ignores. What it
 * knows must make sense. */
int epi__option_stack_read(epi__reader *data, epi__stack *out) {
  unsigned first = epi__read_u8(data);
  unsigned code = epi__read_u8(data);
  int leg = (int)(first >> LEVEL_BITS);
  int option = (int)((first & ((1u << LEVEL_BITS) - 1)) << 8 | code);
  int index = epi__stack_index(option);
  const epi__stack_option *known;
  int value;

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "stack option has no code");
  }
  if (index < 0 || !leg || leg & ~epi__stack_options[index].legs) {
    return 0;
  }
  known = &epi__stack_options[index];
  value = (int)(is_wide(option) ? epi__read_u16(data) : epi__read_u8(data));
  if (data->missing) {
    return epi__fail(EPI_EPROTO, "the %s option is too short", known->name);
  }
  if (!epi__stack_may_be(known, value)) {
    return epi__fail(EPI_EPROTO, "the %s option cannot be %d", known->name,
                     value);
  }
  for (int i = 0; i < 2; i++) {
    if (leg >> i & 1 && out->present[i] >> index & 1) {
      return epi__fail(EPI_EPROTO, "the %s option comes twice for leg %d",
                       known->name, i + 1);
    }
  }
  return epi__stack_set(out, leg, option, value);
}

static void write_of_leg(epi__writer *out, int leg, int option, int value) {
  epi__option_fixed_write(out, EPI__KIND_STACK, 4);
  epi__write_u8(out, (unsigned)(leg << LEVEL_BITS | option >> 8));
  epi__write_u8(out, (unsigned)(option & 0xff));
  epi__write_u16(out, (unsigned)(is_wide(option) ? value : value << 8));
}

void epi__option_stack_write(epi__writer *out, const epi__stack *stack) {
  if (!stack->present[0] && !stack->present[1]) {
    return; /* as in most messages */
  }
  for (int i = 0; i < EPI__STACK_OPTIONS; i++) {
    int option = epi__stack_options[i].option;
    int client = stack->present[0] >> i & 1;
    int remote = stack->present[1] >> i & 1;

    if (client && remote && stack->values[0][i] == stack->values[1][i]) {
      write_of_leg(out, EPI_LEG_BOTH, option, stack->values[0][i]);
      continue;
    }
    if (client) {
      write_of_leg(out, EPI_LEG_CLIENT, option, stack->values[0][i]);
    }
    if (remote) {
      write_of_leg(out, EPI_LEG_REMOTE, option, stack->values[1][i]);
    }
  }
}
