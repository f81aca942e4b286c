/* lint.h: what looks like a mistake in a model. */
#ifndef EPI__LINT_H
#define EPI__LINT_H

#include "area/rule_text.h"

typedef struct epi__lint {
  const epi_model *model;
  int form;
  size_t count;
  epi__text text;
} epi__lint;

/* Begin a finding of a kind, at a member of a part: `nodes.umc`; or at an
 * element of it, if name is NULL: `policy.rules[3]`. Its text follows in
 * lint->text, as parts that were made JSON by epi__lint_say(). */
void epi__lint_begin(epi__lint *lint, const char *kind, const char *part,
                     const char *name, size_t index);
void epi__lint_say(epi__lint *lint, const char *text);
void epi__lint_end(epi__lint *lint);

/* All of a finding that is one text. */
void epi__lint_put(epi__lint *lint, const char *kind, const char *part,
                   const char *name, const char *text);

/* ---- lint_ports.c ---- */

/* Ports of proxies that cannot be, or that let nobody through. */
void epi__lint_ports(epi__lint *lint);

/* ---- lint_rules.c ---- */

/* Rules that can never match, or never be met. */
void epi__lint_rules(epi__lint *lint);

#endif
