/* model_reader.h: what reading a model document shares: where we are in it,
 * and what is wrong with it. */
#ifndef EPI__MODEL_READER_H
#define EPI__MODEL_READER_H

#include "area/model.h"
#include "base/fail.h"
#include "base/json.h"
#include "base/json_scan.h"

typedef struct epi__model_reader {
  epi_model *model;
  epi_report *problems; /* or NULL */
  size_t problem_count;
  size_t guessed_over; /* names and bytes, for what was perhaps meant */
  char first[512];     /* the first problem */
  int failed;          /* out of memory */
  size_t depth;
  struct {
    const char *key; /* NULL: the element of an index */
    size_t index;
  } path[EPI__JSON_DEPTH_MAX]; /* where we are in the document */
} epi__model_reader;

/* Step into a member, whose key must live until the step out, or into an
 * element. Returns what epi__path_back() takes to step out again. */
size_t epi__path_key(epi__model_reader *in, const char *key);
size_t epi__path_index(epi__model_reader *in, size_t index);
void epi__path_back(epi__model_reader *in, size_t back);

/* Something is wrong where we are. */
void epi__problem(epi__model_reader *in, const char *format, ...)
    EPI__PRINTF(2, 3);

/* `no WHAT "text"`, with what was perhaps meant. */
void epi__problem_no(epi__model_reader *in, const char *what, const char *text,
                     const epi__names *known);

/* ---- objects ---- */

typedef struct epi__key {
  const char *name;
  int type; /* EPI__JSON_* */
  int required;
} epi__key;

/* Find the members of an object; object may be NULL. keys ends in a NULL name;
 * values has a value for each, NULL if it is not there or of a wrong type.
 * Unknown keys, keys that are there twice, wrong types and what is missing are
 * problems. */
void epi__read_members(epi__model_reader *in, const epi__json *object,
                       const epi__key *keys, const epi__json **values);

/* Number the keys of an object whose keys are names of things, at most max, in
 * document order. */
void epi__read_names(epi__model_reader *in, const epi__json *object, size_t max,
                     epi__names *names);

/* The next member of such an object that is the first of its name; start with
 * NULL. *number is its number. */
const epi__json *epi__next_named(const epi__json *object,
                                 const epi__json *member,
                                 const epi__names *names, size_t *number);

/* ---- values ---- */

/* A name of something: 1 if it may be one. */
int epi__check_name(epi__model_reader *in, const char *text);

/* A problem if a criterion or a command line could take the name of a node for
 * something else. */
void epi__check_node_name(epi__model_reader *in, const char *name);

/* A string without control characters, at most EPI__TEXT_MAX bytes and not
 * empty; or NULL with a problem, or without one if value is NULL. */
const char *epi__read_string(epi__model_reader *in, const epi__json *value);

/* A copy of such a string. */
char *epi__read_copy(epi__model_reader *in, const epi__json *value);

/* A whole number from low to high; or low - 1 with a problem. */
int64_t epi__read_whole(epi__model_reader *in, const epi__json *value,
                        int64_t low, int64_t high);

/* The number of what a string names; or EPI__NONE with a problem. */
uint32_t epi__read_reference(epi__model_reader *in, const epi__json *value,
                             const char *what, const epi__names *names);

/* Lists, which may be NULL: references to things; free words, numbered as
 * terms; ports; attributes, by name. Twice the same is a problem. */
void epi__read_references(epi__model_reader *in, const epi__json *list,
                          const char *what, const epi__names *names, size_t max,
                          epi__list *out);
void epi__read_terms(epi__model_reader *in, const epi__json *list,
                     epi__list *out);
void epi__read_ports(epi__model_reader *in, const epi__json *list,
                     epi__list *out);
void epi__read_attributes(epi__model_reader *in, const epi__json *list,
                          uint64_t *set);

/* The number of a free word. */
uint32_t epi__read_term(epi__model_reader *in, const epi__json *value);

/* The number of a name that is added if it is new; EPI__NONE when out of
 * memory. */
uint32_t epi__number_of(epi__model_reader *in, epi__names *names,
                        const char *text);

/* 1 if the list is longer than max, which is a problem. */
int epi__too_long(epi__model_reader *in, const epi__json *list, size_t max);

/* A problem if the list is there and has no elements. */
void epi__check_filled(epi__model_reader *in, const epi__json *list);

/* Check a URL of a SOCKS hop: 1 if it is one. */
int epi__check_hop(epi__model_reader *in, const char *url);

/* Make a model of a document. Returns 0, EPI_EMODEL or EPI_ENOMEM. */
int epi__model_make(epi_model **out, epi_report *problems,
                    const epi__json *root);

/* ---- parts of the document ---- */

void epi__read_nodes(epi__model_reader *in, const epi__json *nodes);
void epi__read_proxies(epi__model_reader *in, const epi__json *proxies);
void epi__read_proxy_ports(epi__model_reader *in, const epi__json *list,
                           epi__proxy *proxy);
void epi__read_functions(epi__model_reader *in, const epi__json *functions);
void epi__read_applications(epi__model_reader *in,
                            const epi__json *applications);

void epi__read_policy(epi__model_reader *in, const epi__json *policy);

/* The values of the criteria `from` and `to`, `authenticated`, and `time`. */
void epi__read_parties(epi__model_reader *in, const epi__json *list,
                       epi__parties *out);
unsigned epi__read_authenticated(epi__model_reader *in, const epi__json *list);
void epi__read_window(epi__model_reader *in, const epi__json *value,
                      epi__window *out);

#endif
