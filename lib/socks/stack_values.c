/* stack_values.c: stack options: which there are, and those of a message. */
#include "socks/stack_values.h"

#include "base/fail.h"

const epi__stack_option epi__stack_options[EPI__STACK_OPTIONS] = {
    {EPI_STACK_TOS, EPI_LEG_BOTH, 0, 255, "TOS"},
    {EPI_STACK_HAPPY_EYEBALLS, EPI_LEG_REMOTE, EPI_STACK_NO, EPI_STACK_YES,
     "happy eyeballs"},
    {EPI_STACK_TTL, EPI_LEG_BOTH, 0, 255, "TTL"},
    {EPI_STACK_NO_FRAGMENT, EPI_LEG_BOTH, EPI_STACK_NO, EPI_STACK_YES,
     "no fragmentation"},
    {EPI_STACK_TFO, EPI_LEG_REMOTE, 0, 65535, "TFO"},
    {EPI_STACK_MULTIPATH, EPI_LEG_REMOTE, EPI_STACK_NO, EPI_STACK_YES,
     "multipath"},
    {EPI_STACK_BACKLOG, EPI_LEG_REMOTE, 0, 65535, "listen backlog"},
    {EPI_STACK_UDP_ERROR, EPI_LEG_REMOTE, EPI_STACK_NO, EPI_STACK_YES,
     "UDP error"},
    {EPI_STACK_PORT_PARITY, EPI_LEG_REMOTE, EPI_PARITY_ANY,
     EPI_PARITY_ODD + EPI_PARITY_RESERVE, "port parity"},
};

int epi__stack_index(int option) {
  for (int i = 0; i < EPI__STACK_OPTIONS; i++) {
    if (epi__stack_options[i].option == option) {
      return i;
    }
  }
  return -1;
}

int epi__stack_may_be(const epi__stack_option *option, int value) {
  if (value < option->lowest || value > option->highest) {
    return 0;
  }
  return option->option != EPI_STACK_PORT_PARITY ||
         (value & 0xff) <= EPI_PARITY_RESERVE;
}

static void set_of_leg(epi__stack *stack, int leg, int index, int value) {
  uint16_t bit = (uint16_t)(1u << index);

  if (value < 0) {
    stack->present[leg] &= (uint16_t)~bit;
    stack->values[leg][index] = 0;
  } else {
    stack->present[leg] |= bit;
    stack->values[leg][index] = (uint16_t)value;
  }
}

int epi__stack_set(epi__stack *stack, int leg, int option, int value) {
  int index = epi__stack_index(option);

  if (index < 0) {
    return epi__fail(EPI_EINVAL, "no stack option has the number 0x%x",
                     (unsigned)option);
  }
  if (leg < EPI_LEG_CLIENT || leg > EPI_LEG_BOTH ||
      leg & ~epi__stack_options[index].legs) {
    return epi__fail(EPI_EINVAL, "the %s option is not about leg %d",
                     epi__stack_options[index].name, leg);
  }
  if (value != -1 && !epi__stack_may_be(&epi__stack_options[index], value)) {
    return epi__fail(EPI_EINVAL, "the %s option cannot be %d",
                     epi__stack_options[index].name, value);
  }
  if (leg & EPI_LEG_CLIENT) {
    set_of_leg(stack, 0, index, value);
  }
  if (leg & EPI_LEG_REMOTE) {
    set_of_leg(stack, 1, index, value);
  }
  return 0;
}

int epi__stack_get(const epi__stack *stack, int leg, int option) {
  int index = epi__stack_index(option);

  if (index < 0 || (leg != EPI_LEG_CLIENT && leg != EPI_LEG_REMOTE)) {
    return epi__fail(EPI_EINVAL, "no stack option 0x%x of leg %d",
                     (unsigned)option, leg);
  }
  if (!(stack->present[leg - 1] >> index & 1)) {
    return EPI_ENOENT;
  }
  return stack->values[leg - 1][index];
}
