/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each rule says, for reports: the beginnings of the tables of docs/rules.md, whose home
 * this text is (tests/test_docs.c compares them). */
#ifndef RUN_RULE_TEXT_H
#define RUN_RULE_TEXT_H

#include <stdint.h>

struct rule_text {
    const char *name;  /* of run_result.rule: the model's rules and the runner's */
    const char *says;  /* what must hold */
    const char *means; /* what a violation usually comes from; NULL: it speaks for itself */
};

/* NULL: no such rule. */
const struct rule_text *rule_text(const char *name);
/* All of them; NULL past the end. */
const struct rule_text *rule_text_at(uint32_t i);

#endif
