/* attrs.h: sets of attributes, as bits; a set is an array of words. */
#ifndef EPI__ATTRS_H
#define EPI__ATTRS_H

#include "epi/base.h"

/* The words that sets over so many attributes have; at least 1. */
size_t epi__set_words(size_t attributes);

void epi__set_add(uint64_t *set, size_t attribute);
int epi__set_has(const uint64_t *set, size_t attribute);
size_t epi__set_count(const uint64_t *set, size_t words);
int epi__set_equal(const uint64_t *a, const uint64_t *b, size_t words);

/* 1 if b has all of a. */
int epi__set_within(const uint64_t *a, const uint64_t *b, size_t words);

/* Put b's attributes into set, or take them out. */
void epi__set_join(uint64_t *set, const uint64_t *b, size_t words);
void epi__set_drop(uint64_t *set, const uint64_t *b, size_t words);

/* The first attribute that is not below start, or -1: to go through a set. */
ptrdiff_t epi__set_next(const uint64_t *set, size_t words, size_t start);

uint64_t epi__set_hash(const uint64_t *set, size_t words);

#endif
