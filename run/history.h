/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of one page: each op and host call that named it or changed anything about it,
 * with what it was before and after. */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H

#include <stdio.h>

#include "run/runner.h"
#include "run/subject.h"

/* Of guest page `page` of p, of which r is what came of it. Long ones lose their middle. */
void history_story(FILE *out, const struct program *p, const struct subject *subject,
                   const struct run_result *r, uint32_t page);

#endif
