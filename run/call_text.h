/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host call in words that a person who reads a failure knows: pages by their names, errnos
 * by theirs, which fault it was. */
#ifndef RUN_CALL_TEXT_H
#define RUN_CALL_TEXT_H

#include "model/model.h"
#include "run/runner.h"

enum { CALL_TEXT_SIZE = 120 };

/* "ram0[3]"; an alias (model.h) by its address, "gpa[24]"; "no page". */
void page_text(char *buf, size_t size, const struct model *o, const struct machine *m,
               uint32_t page);

/* "ram0[2..6) private", "c1 ram0[3]": the pages of the guest that the call names, or changed,
 * and what it wants of them, or where; "" where it is about none. */
void call_pages_text(char *buf, size_t size, const struct runner *r,
                     const struct sim_call *call);

/* "ENOMEM (fault of op 3), after the effect", or what it returned. */
void call_answer_text(char *buf, size_t size, const struct runner *r,
                      const struct sim_call *call);

/* "ENOMEM, the guest was told EAGAIN, the VM is stopped": of the op that has returned. */
void result_text(char *buf, size_t size, const struct runner *r);

/* Does the call name the guest page, or alias, whatever came of it? */
bool call_names(const struct runner *r, const struct sim_call *call, uint32_t page);

#endif
