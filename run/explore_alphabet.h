/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small machine and all that can be done to it, as a program whose ops are the alphabet. */
#ifndef RUN_EXPLORE_ALPHABET_H
#define RUN_EXPLORE_ALPHABET_H

#include "program/generate.h"
#include "program/op.h"

/* Groups of ops; `explore --alphabet`. */
#define ALPHABET_GROUPS(X)                                                                     \
    X(convert, "every range to shared and to private")                                         \
    X(attach, "attach every device")                                                           \
    X(detach, "detach every device")                                                           \
    X(touch, "a vCPU writes every page")                                                       \
    X(dma, "every device writes every page, where it can")                                     \
    X(plug, "virtio-mem with blocks of a page: plug and unplug every range, unplug all")       \
    X(source, "another source of the region's manager comes, on every range, and goes")        \
    X(hotplug, "the region is removed, and added")                                             \
    X(reset, "the guest is reset")                                                             \
    X(migrate, "migration starts and stops; dirty-sync")

#define ALPHABET_ENUM(name, help) ALPHABET_##name,
enum { ALPHABET_GROUPS(ALPHABET_ENUM) ALPHABET_COUNT };
enum { ALPHABET_DEFAULT = 1 << ALPHABET_convert | 1 << ALPHABET_attach | 1 << ALPHABET_detach };
enum { ALPHABET_PAGES_MAX = 64 };

/* NULL past the end. */
const char *alphabet_name(uint32_t group);
const char *alphabet_help(uint32_t group);

/* A bit for each group of a list "convert,attach"; 0: one of them is none. */
uint32_t alphabet_groups(const char *list);

/* One region of `pages` guest_memfd pages, a device in each container; axes as fixed. 0, or
 * -EINVAL, -E2BIG, -ENOMEM and one line in `why`. */
int alphabet_build(struct program *p, uint32_t pages, uint32_t containers, uint32_t groups,
                   const struct generate_options *fixed, char *why, size_t why_size);

/* The program of a file becomes an alphabet: its expectations and faults go. */
int alphabet_of(const struct program *file, struct program *p);

#endif
