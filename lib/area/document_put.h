/* document_put.h: members and elements of the canonical document. */
#ifndef EPI__DOCUMENT_PUT_H
#define EPI__DOCUMENT_PUT_H

#include "area/model.h"

/* Write the key of a member, or what stands before an element: with a comma but
 * for the first in its object or list. */
void epi__put_key(epi__text *out, const char *key);
void epi__put_comma(epi__text *out);

/* A member that is a text, left out if that is NULL; one that is a list, up to
 * its bracket; and an element that is a text. */
void epi__put_text(epi__text *out, const char *key, const char *text);
void epi__open_list(epi__text *out, const char *key);
void epi__put_item(epi__text *out, const char *text);

/* A member that is a set of attributes. */
void epi__put_set(epi__text *out, const epi_model *model, const char *key,
                  const uint64_t *set);

/* Members that are lists of names and of ports, left out if they are empty. */
void epi__put_names(epi__text *out, const char *key, const epi__list *list,
                    const epi__names *names);
void epi__put_ports(epi__text *out, const epi__list *ports);

/* ---- policy_write.c ---- */

/* Write `policy`, left out if it says nothing. more is the text of one more
 * rule that stands before another, or behind all for the count of rules; it may
 * be NULL. */
void epi__put_policy(epi__text *out, const epi_model *model, const char *more,
                     size_t before);

#endif
