/* faulty.c: a filter that goes wrong as its argument says, for flow tests.
 * Bytes that it did its work on have their highest bit flipped, so that what
 * passes unprotected is seen. */
#include <epi/epi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const faults[] = {
    "none",   "crash", "stall", "pause", "flood", "hoard", "late",
    "refuse", "shut",  "greet", "pass",  "tell",  "drip",  "open",
    "timer",  "burst", "back",  "end",   "twice"};

/* What a filter of this file does, and to which flows. */
typedef struct trouble {
  const char *fault;
  int port; /* of their destinations; 0: to all. The others get "none" */
} trouble;

static const char *fault_of(const epi_pipe *pipe, void *user) {
  const trouble *set = user;

  return set->port && set->port != epi_pipe_dest(pipe)->port ? "none"
                                                             : set->fault;
}

/* What the filter would turn data into: nothing of it is left as it was. */
static int protect(epi_pipe *pipe, int direction, const char *from,
                   size_t len) {
  char out[4096];
  int error = 0;

  while (len && !error) {
    size_t part = len < sizeof out ? len : sizeof out;

    for (size_t i = 0; i < part; i++) {
      out[i] = (char)(from[i] ^ 0x80);
    }
    error = epi_pipe_write(pipe, direction, out, part);
    from += part;
    len -= part;
  }
  return error;
}

static int flood(epi_pipe *pipe, int direction) {
  static const char zeros[65536];

  while (!epi_pipe_write(pipe, direction, zeros, sizeof zeros)) {
  }
  return 0;
}

static int on_open(epi_pipe *pipe, void *user) {
  const char *fault = fault_of(pipe, user);

  if (!strcmp(fault, "shut")) {
    return epi_pipe_refuse(pipe, "not at this hour");
  }
  if (!strcmp(fault, "greet")) {
    return epi_pipe_write(pipe, EPI_BACKWARD, "hello\n", 6);
  }
  if (!strcmp(fault, "open")) {
    return EPI_EPROTO;
  }
  if (!strcmp(fault, "late") || !strcmp(fault, "drip") ||
      !strcmp(fault, "timer") || !strcmp(fault, "burst")) {
    return epi_pipe_set_timer(pipe, 100);
  }
  if (!strcmp(fault, "tell")) {
    char note[80];

    snprintf(note, sizeof note, "user %s, dest %d, metadata %s",
             epi_pipe_user(pipe), epi_pipe_dest(pipe)->port,
             epi_pipe_metadata(pipe, 1) ? epi_pipe_metadata(pipe, 1) : "none");
    epi_pipe_note(pipe, note);
    return epi_pipe_set_metadata(pipe, 1, "train");
  }
  return 0;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  const char *fault = fault_of(pipe, user);

  if (!strcmp(fault, "crash") ||
      (!strcmp(fault, "back") && direction == EPI_BACKWARD)) {
    return EPI_EPROTO;
  }
  if (!strcmp(fault, "timer") || !strcmp(fault, "burst")) {
    return epi_pipe_hold(pipe, 1); /* it never comes to writing it on */
  }
  if (!strcmp(fault, "stall")) {
    return epi_pipe_hold(pipe, (int64_t)len);
  }
  if (!strcmp(fault, "pause")) {
    epi_pipe_pause(pipe, direction, 1);
  }
  if (!strcmp(fault, "flood")) {
    return flood(pipe, direction);
  }
  if (!strcmp(fault, "hoard")) {
    epi_pipe_hold(pipe, 10000);
    return 0;
  }
  if (!strcmp(fault, "refuse")) {
    return epi_pipe_refuse(pipe, "a pattern was found");
  }
  if (!strcmp(fault, "greet")) {
    return epi_pipe_write(pipe, !direction, data, len);
  }
  if (!strcmp(fault, "pass")) {
    return EPI_PASS;
  }
  return protect(pipe, direction, data, len);
}

/* "twice" goes on where it has ended. */
static int on_end(epi_pipe *pipe, int direction, void *user) {
  const char *fault = fault_of(pipe, user);

  if (!strcmp(fault, "twice") && direction == EPI_BACKWARD) {
    return epi_pipe_write(pipe, EPI_FORWARD, "more", 4);
  }
  return !strcmp(fault, "end") && direction == EPI_FORWARD ? EPI_EPROTO : 0;
}

static int on_timer(epi_pipe *pipe, void *user) {
  static const char zeros[1000000];
  const char *fault = fault_of(pipe, user);

  if (!strcmp(fault, "timer")) {
    return EPI_EPROTO;
  }
  if (!strcmp(fault, "burst")) {
    return flood(pipe, EPI_FORWARD);
  }
  if (!strcmp(fault, "drip")) { /* without end, whoever reads it */
    epi_pipe_set_timer(pipe, 1);
    return epi_pipe_write(pipe, EPI_BACKWARD, zeros, sizeof zeros);
  }
  return epi_pipe_write(pipe, EPI_BACKWARD, "late\n", 5);
}

#ifndef ENTRY
#define ENTRY epi_filter_entry_1
#endif

EPI_API int ENTRY(epi_filter **out, const char *args);

/* FAULT, or FAULT+ for one that may fail open; FAULT@PORT for the flows to one
 * port alone. */
int ENTRY(epi_filter **out, const char *args) {
  size_t len = strcspn(args, "+@");
  const char *fault = NULL;
  epi_filter *filter;
  trouble *set;
  int error;

  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    if (strlen(faults[i]) == len && !memcmp(args, faults[i], len)) {
      fault = faults[i];
    }
  }
  if (!fault) {
    return EPI_EINVAL;
  }
  error = epi_filter_new(&filter, "faulty");
  if (error) {
    return error;
  }
  set = malloc(sizeof *set);
  if (!set) {
    epi_filter_free(filter);
    return EPI_ENOMEM;
  }
  set->fault = fault;
  set->port = args[len] == '@' ? atoi(args + len + 1) : 0;
  epi_filter_on_free(filter, free, set);
  epi_filter_on_open(filter, on_open, set);
  epi_filter_on_data(filter, on_data, set);
  epi_filter_on_end(filter, on_end, set);
  epi_filter_on_timer(filter, on_timer, set);
  /* What "hoard" holds back is to be too much before it is too long. */
  epi_filter_set(filter, EPI_FILTER_DEADLINE_MS,
                 strcmp(fault, "hoard") ? 500 : 60000);
  epi_filter_set(filter, EPI_FILTER_MEMORY, 20000);
  epi_filter_set(filter, EPI_FILTER_FAIL_OPEN, args[len] == '+');
  *out = filter;
  return 0;
}
