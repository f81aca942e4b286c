/* model_text.h: models from text, and questions in one line, for tests. */
#ifndef TEST_MODEL_TEXT_H
#define TEST_MODEL_TEXT_H

#include "epi/area.h"

/* A JSON text with ' for ". Fails the program if it is no model. */
epi_model *model_of(const char *text);

/* The problems of such a text, a line each; "" for a model. The text is valid
 * until the next call. */
const char *problems_of(const char *text);

/* The content of a file under EPI_SOURCE, with a NUL behind it; free()
 * it. */
char *file_text(const char *path, size_t *len);

/* Decide about "FROM TO PORT", where FROM and TO are nodes, or addresses if
 * they are in parentheses; PORT is -1 for none. The facts are EPI_QUERY_* and
 * text in turn, ending in 0. */
int ask(epi_model *model, epi_decision *out, const char *flow, ...);

/* The chain as "proxy: a b | proxy: c". Valid until the next call. */
const char *chain_text(const epi_decision *decision);

/* The attributes of one set, with spaces between. Valid until the next call. */
const char *set_text(const epi_decision *decision, int which);

#endif
