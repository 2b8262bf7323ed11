/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes things out of a program. What belonged to them goes with them, what refers to them too
 * (a device's attach, a region's ops, an op's expectations), and what comes after moves up: the
 * rest means what it meant before. The result may not validate: an address that an op names may
 * be empty now.
 */
#ifndef PROGRAM_EDIT_H
#define PROGRAM_EDIT_H

#include "program/op.h"

void program_drop_ops(struct program *p, uint32_t first, uint32_t n);
/* All ops of a kind that name this unit, or this region (what the kind does not have must be
 * 0). */
void program_drop_ops_of(struct program *p, enum op_kind kind, uint8_t unit, uint8_t region);
void program_drop_expect(struct program *p, uint32_t index);

void program_drop_region(struct program *p, uint32_t region);
void program_drop_section(struct program *p, uint32_t section);
void program_drop_container(struct program *p, uint32_t container);
void program_drop_device(struct program *p, uint32_t device);

/* Pages [first, first + n) of a region, and the addresses where they are shown: pages and
 * addresses after them move down, ranges that held them are shorter, what had no other page is
 * gone. */
void program_drop_pages(struct program *p, uint32_t region, uint32_t first, uint32_t n);
/* The same with addresses that nothing is at. */
void program_drop_gap(struct program *p, uint64_t gpa_page, uint64_t n);

#endif
