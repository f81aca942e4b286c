/* inspected.h: data that goes through the filter `inspect`. */
#ifndef TEST_INSPECTED_H
#define TEST_INSPECTED_H

#include "base/bytes.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"

enum {
  INSPECTED_NOTES = 512,
};

/* What came out, by direction, and the text of the file `words`. */
extern epi__queue inspected_out[2];
extern const char *inspected_words;

/* Reads `words`, and no other file. */
int inspected_read(const char *path, size_t max, char **text, size_t *len);

/* Open a flow through one filter, or end the test. */
epi__filter_chain *inspected_open(const char *args);

/* Feed a piece as a block of its exact size. */
int inspected_feed(epi__filter_chain *chain, int direction, const char *data,
                   size_t len);

/* What came out, as text, which is gone from there then. */
const char *inspected_take(int direction);

/* Send data in two pieces, or with cut 0 byte by byte, and end the direction.
 * Returns 0 or what cut the flow; notes gets what was noted. */
int inspected_send(const char *args, int direction, const char *data,
                   size_t len, size_t cut, char notes[INSPECTED_NOTES]);

/* Does every split of forward data end in a refusal with this in its reason?
 * Returns the number of those that do not. */
size_t inspected_let_in(const char *args, const char *data, size_t len,
                        const char *why);

#endif
