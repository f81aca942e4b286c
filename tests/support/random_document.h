/* random_document.h: model documents at random, in their canonical form or
 * written otherwise. */
#ifndef TEST_RANDOM_DOCUMENT_H
#define TEST_RANDOM_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

/* A number below `below`, from a sequence that is the same in every run. */
uint32_t draw(uint32_t below);

/* Make a valid document with every key of doc/model.md now and then, as it is
 * from then on until the next call. */
void document_new(void);

/* The document in its canonical form; or, with as_is 0, with the keys of
 * records and the members of sets in another order, and white space between.
 * Returns its length; size must do. */
size_t document_put(char *out, size_t size, int as_is);

#endif
