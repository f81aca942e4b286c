/* stack_values.h: the stack options of a message. */
#ifndef EPI__STACK_VALUES_H
#define EPI__STACK_VALUES_H

#include "epi/stack.h"

enum { EPI__STACK_OPTIONS = 9 };

/* What is known of each option, in the order of level and code. */
typedef struct epi__stack_option {
  int option; /* EPI_STACK_* */
  int legs;   /* that it may be about: EPI_LEG_REMOTE or EPI_LEG_BOTH */
  int lowest, highest;
  const char *name; /* for details */
} epi__stack_option;

extern const epi__stack_option epi__stack_options[EPI__STACK_OPTIONS];

/* Values by leg and index in epi__stack_options. All zero: none is set. */
typedef struct epi__stack {
  uint16_t present[2]; /* a bit for each index */
  uint16_t values[2][EPI__STACK_OPTIONS];
} epi__stack;

/* The index of an option, or -1. */
int epi__stack_index(int option);

/* 1 if an option may have this value. */
int epi__stack_may_be(const epi__stack_option *option, int value);

/* As epi_request_set_stack() and epi_request_stack(). */
int epi__stack_set(epi__stack *stack, int leg, int option, int value);
int epi__stack_get(const epi__stack *stack, int leg, int option);

#endif
