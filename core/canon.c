/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers for checkers: the tracker's bits, and the internal state that decides the future in
 * a canonical form: 64-bit words, no addresses, no capacities, no file descriptor numbers.
 */
#include <assert.h>
#include <string.h>

#include "core/internal.h"

enum { WORD_PAGES = 64 };

struct writer {
    uint8_t *buf;
    size_t size, used; /* used counts what does not fit, too */
};

static void put(struct writer *w, uint64_t value)
{
    if (w->used + sizeof value <= w->size)
        memcpy(w->buf + w->used, &value, sizeof value);
    w->used += sizeof value;
}

static void put_map(struct writer *w, const struct page_map *map)
{
    assert(map->n_pages > 0);
    put(w, map->n_set);
    for (uint64_t page = 0; map->n_set && page < map->n_pages; page += WORD_PAGES)
        put(w, page_map_word(map, page));
}

static void put_container(struct writer *w, const struct container *c)
{
    put(w, c->fd >= 0);
    put(w, c->n_devices);
    for (uint32_t i = 0; i < c->n_devices; i++)
        put(w, c->devices[i].group);
    put(w, c->ledger.tree.n);
    for (struct ledger_run run = {.end = 0}; ledger_next(&c->ledger, run.end, &run);) {
        put(w, run.first);
        put(w, run.end);
        put(w, run.whole);
    }
    for (const struct vfio_listener *l = c->listeners; l; l = l->next) {
        put(w, UINT64_C(1) + l->block->index);
        put(w, l->base.first);
        put(w, l->base.end);
        put(w, l->iova_page);
        put(w, l->manual);
        put(w, l->asked_first);
        put(w, l->asked_end);
    }
    put(w, 0);
}

size_t vmm_canon(const struct vmm *vmm, void *buf, size_t size)
{
    struct writer w = {.buf = buf, .size = size};

    put(&w, vmm_stopped(vmm));
    for (unsigned i = 0; i < VMM_GUARD_COUNT; i++)
        put(&w, vmm->guards.others[i]);
    put(&w, vmm->migrating);
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++) {
        const struct ram_block *block = vmm->address_space.regions[i];

        if (block->dirty_logged)
            put_map(&w, &block->dirty);
        put(&w, block->present);
        put(&w, block->guest_memfd);
        if (!block->guest_memfd)
            continue;
        put_map(&w, &block->attributes.shared);
        put_map(&w, &block->attributes.debt[0]);
        put_map(&w, &block->attributes.debt[1]);
        if (block->has_virtio_mem) {
            put_map(&w, &block->virtio_mem.plugged);
            put(&w, block->virtio_mem.requested);
            put(&w, block->virtio_mem.usable);
        }
        put(&w, block->holder.end);
        put(&w, block->holder.end ? block->holder.first : 0);
    }
    for (uint32_t i = 0; i < vmm->n_containers; i++)
        put_container(&w, vmm->containers[i]);
    return w.used;
}

typedef uint64_t word_fn(const struct ram_block *block, uint64_t page);

static uint64_t shared_word(const struct ram_block *block, uint64_t page)
{
    if (block->guest_memfd)
        return page_map_word(&block->attributes.shared, page);
    return block->present && block->kind != VMM_REGION_MMIO ? ~UINT64_C(0) : 0;
}

static uint64_t plugged_word(const struct ram_block *block, uint64_t page)
{
    uint64_t word = 0;

    if (!block->has_virtio_mem)
        return block->present ? ~UINT64_C(0) : 0;
    for (uint32_t bit = 0; bit < WORD_PAGES; bit++) {
        uint64_t b = (page + bit) >> block->virtio_mem.block_shift;

        if (b < block->virtio_mem.plugged.n_pages)
            word |= (uint64_t)page_map_get(&block->virtio_mem.plugged, b) << bit;
    }
    return word;
}

static void copy_bits(const struct vmm *vmm, uint32_t region, uint64_t first_page,
                      uint64_t n_pages, uint64_t *bits, word_fn *block_word)
{
    const struct ram_block *block = vmm->address_space.regions[region];
    uint64_t base = first_page - first_page % WORD_PAGES;
    unsigned shift = (unsigned)(first_page % WORD_PAGES);

    assert(region < vmm->address_space.n_regions && n_pages <= block->size >> vmm->page_shift);
    for (uint64_t done = 0; done < n_pages; done += WORD_PAGES, base += WORD_PAGES) {
        uint64_t left = n_pages - done;
        uint64_t word = block_word(block, base) >> shift;

        if (shift)
            word |= block_word(block, base + WORD_PAGES) << (WORD_PAGES - shift);
        if (left < WORD_PAGES)
            word &= ~(~UINT64_C(0) << left);
        bits[done / WORD_PAGES] = word;
    }
}

void vmm_populated_bits(const struct vmm *vmm, uint32_t region, uint64_t first_page,
                        uint64_t n_pages, uint64_t *bits)
{
    copy_bits(vmm, region, first_page, n_pages, bits, shared_word);
}

void vmm_plugged_bits(const struct vmm *vmm, uint32_t region, uint64_t first_page,
                      uint64_t n_pages, uint64_t *bits)
{
    copy_bits(vmm, region, first_page, n_pages, bits, plugged_word);
}
