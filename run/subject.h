/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thing under test, as a table. run/subject_core.c wraps our own core; another VMM's code
 * can stand behind the same table and be judged by the same oracle. Plain C types only: this
 * is meant to become a stable ABI.
 *
 * Errors are negative errno. Units: bytes, unless a name says pages. A subject makes its
 * system calls through the host table only, keeps its state in the host's alloc, and may exit,
 * abort or crash: that is a verdict, not the end of the tool.
 */
#ifndef RUN_SUBJECT_H
#define RUN_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/sync.h"
#include "program/op.h"

enum { SUBJECT_VERSION = 2, SUBJECT_CAN_SNAPSHOT = 1 << 0 };

struct subject {
    uint32_t version;
    uint32_t capabilities; /* SUBJECT_CAN_SNAPSHOT: all its state is in the host's alloc */
    const char *name;

    /* Builds the machine: regions, sections, vCPUs, containers, no device plugged. Locks are
     * taken through `sync`; what it points to outlives the subject. */
    int (*build)(const struct host *host, const struct sync *sync, const struct machine *m,
                 void **state);
    /* Tears down and frees all of it, whatever happened before. */
    int (*destroy)(void *state);

    /* The guest's request waits in the kernel: run the vCPU into it and serve the exit. */
    int (*run_vcpu)(void *state, uint32_t vcpu);
    int (*convert)(void *state, uint64_t gpa, uint64_t size, bool to_private);
    int (*attach)(void *state, uint32_t container, uint32_t device);
    int (*detach)(void *state, uint32_t device);
    int (*listen)(void *state, uint32_t container, uint32_t region, uint64_t offset,
                  uint64_t size);
    int (*unlisten)(void *state, uint32_t container, uint32_t region, uint64_t offset,
                    uint64_t size);
    /* Memory hot-plug of a whole region; the reset of a confidential guest. */
    int (*region_remove)(void *state, uint32_t region);
    int (*region_add)(void *state, uint32_t region);
    int (*reset)(void *state);
    /* Another user of the machine takes, or gives back, a discard guard: enum guard_kind. */
    int (*guard)(void *state, uint32_t kind, bool on);
    /* Another user of a region's pages keeps devices away from a stretch of them, as a source
     * of the region's discard manager, and goes again. */
    int (*source_add)(void *state, uint32_t region, uint64_t offset, uint64_t size);
    int (*source_remove)(void *state, uint32_t region);
    int (*is_populated)(void *state, uint32_t region, uint64_t offset, uint64_t size);

    /* virtio-mem: the guest's requests, and the VMM's resize. *response is what the guest is
     * told: RESPONSE_ACK, ... */
    int (*plug)(void *state, uint32_t region, uint64_t offset, uint64_t size,
                uint16_t *response);
    int (*unplug)(void *state, uint32_t region, uint64_t offset, uint64_t size,
                  uint16_t *response);
    int (*unplug_all)(void *state, uint32_t region, uint16_t *response);
    int (*resize)(void *state, uint32_t region, uint64_t requested_size, uint16_t *response);

    /* Migration. The answer is one byte a page: 0 discarded, 1 shared, 2 private; +4: dirty. */
    int (*migrate)(void *state, bool start);
    int (*dirty_sync)(void *state, uint32_t region, uint8_t *pages);

    /* Questions that change nothing and make no host call. */
    void (*populated_bits)(const void *state, uint32_t region, uint64_t first_page,
                           uint64_t n_pages, uint64_t *bits);
    void (*plugged_bits)(const void *state, uint32_t region, uint64_t first_page,
                         uint64_t n_pages, uint64_t *bits);
    bool (*stopped)(const void *state);
    /* Could another user take this guard now? */
    bool (*guard_is_free)(void *state, uint32_t kind);
    /* mode=inplace: the last conversion or unplug failed because this page of a region is in
     * use. */
    bool (*blocked)(void *state, uint32_t *region, uint64_t *offset);
    size_t (*canon)(const void *state, void *buf, size_t size);
};

extern const struct subject subject_core;

#endif
