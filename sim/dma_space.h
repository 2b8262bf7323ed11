/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO type1 and iommufd have in common: an I/O address space, which is a sorted table of
 * mappings, and the pinned pages behind each. A mapping remembers frames, not the address that
 * they came from: after a punch it still reaches the old page (behaviour.md 5.5).
 *
 * Units: bytes, except where a name says pages. Errors are negative errno.
 */
#ifndef SIM_DMA_SPACE_H
#define SIM_DMA_SPACE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/uapi.h"
#include "sim/sorted.h"

struct backing;
struct sim_world;

/* Whose locked memory pinned pages count as. type1: the process's, also where no limit holds.
 * iommufd: the user's or the process's, and nobody's with CAP_IPC_LOCK. */
enum dma_charge { CHARGE_TYPE1, CHARGE_USER, CHARGE_PROCESS, CHARGE_NONE };

struct dma_pin {
    uint32_t frame; /* index; meaningful while users is not 0 */
    uint32_t users; /* filled mappings that reach it: pinned and charged once for all */
};

/* Memory that mappings show: pages of the process from an address on, or of a file. Cut and
 * copied mappings share one. */
struct dma_pages {
    uint32_t refs; /* mappings */
    uint8_t charge;
    bool writable;        /* pinned for writing */
    bool is_file;         /* `start` is an offset in `file` */
    uint64_t start;       /* of the first page */
    uint64_t n_pages;     /* ... may be absurd while nothing is pinned */
    struct backing *file; /* NULL with is_file: one that cannot be pinned */
    struct dma_pin *pins; /* by page; NULL: none was ever pinned */
    struct dma_pin only;  /* the table where n_pages is 1 */
};

struct dma_mapping {
    uint64_t iova, size;
    uint64_t first_byte;     /* of what it shows in `pages` */
    struct dma_pages *pages; /* NULL: `frame` is all there is (type1, one page) */
    uint32_t frame;
    uint8_t prot; /* OBSERVE_DMA_* */
};

struct dma_space {
    uint8_t number; /* observe's */
    bool filled;    /* mappings are pinned: type1 always, iommufd while a device is attached */
    uint32_t entry_limit;
    struct dma_mapping *maps; /* sorted by iova; look through dma_space_at */
    uint32_t n_maps, cap_maps;
    uint32_t gap;          /* the mappings from this number on lie at the end of the table */
    uint64_t mapped_pages; /* 0 unless filled */
};

/* ---- spaces: sim/dma_space.c ---- */
/* Gives the space its number: what was named last, or the lowest free one. -EMFILE: observe
 * has no more names. */
int dma_space_open(struct sim_world *w, struct dma_space *s);
/* It must be empty. */
void dma_space_close(struct sim_world *w, struct dma_space *s);
static inline struct dma_mapping *dma_space_at(const struct dma_space *s, uint32_t i)
{
    assert(i < s->n_maps);
    return &s->maps[gap_place(s->gap, s->cap_maps - s->n_maps, i)];
}
/* The mapping that covers an IOVA, or NULL. */
struct dma_mapping *dma_space_find(const struct dma_space *s, uint64_t iova);
/* Index of the first mapping that ends above an IOVA; n_maps when there is none. */
uint32_t dma_space_lower_bound(const struct dma_space *s, uint64_t iova);
bool dma_space_overlaps(const struct dma_space *s, uint64_t first, uint64_t last);
/* Room for so many more mappings, or -ENOMEM. */
int dma_space_reserve(struct sim_world *w, struct dma_space *s, uint32_t more);
/* Puts in a mapping that is filled if the space is; there must be room. `at`: what
 * dma_space_lower_bound says of its IOVA. */
void dma_space_insert_at(struct sim_world *w, struct dma_space *s, uint32_t at,
                         const struct dma_mapping *m);
static inline void dma_space_insert(struct sim_world *w, struct dma_space *s,
                                    const struct dma_mapping *m)
{
    dma_space_insert_at(w, s, dma_space_lower_bound(s, m->iova), m);
}
/* Removes mappings [first, end) by index; how many bytes they were. */
uint64_t dma_space_remove(struct sim_world *w, struct dma_space *s, uint32_t first,
                          uint32_t end);
/* Pins all that is in the space, or nothing; unpins it again. */
int dma_space_fill(struct sim_world *w, struct dma_space *s);
void dma_space_unfill(struct sim_world *w, struct dma_space *s);

/* Pins what one mapping shows, all of it or nothing. */
int dma_mapping_fill(struct sim_world *w, struct dma_space *s, struct dma_mapping *m);
void dma_mapping_unfill(struct sim_world *w, struct dma_space *s, struct dma_mapping *m);
static inline uint32_t dma_mapping_frame(const struct dma_mapping *m, uint64_t page,
                                         uint32_t page_shift)
{
    if (!m->pages) {
        assert(page == 0);
        return m->frame;
    }
    const struct dma_pin *pin = &m->pages->pins[(m->first_byte >> page_shift) + page];
    assert(pin->users > 0);
    return pin->frame;
}

/* What the machine's IOMMU does not translate: the interrupt window, and all above its width
 * (nested.md 3). Does [first, last] touch it? *skip_to: the last byte of what it touches. */
enum {
    DMA_RANGES_MAX = 2,
    DMA_LARGE_PAGES = 0x40200000 /* it also has 2 MiB and 1 GiB pages */
};
bool dma_iova_reserved(uint64_t first, uint64_t last, uint64_t *skip_to);
void dma_iova_ranges(struct vfio_iova_range out[DMA_RANGES_MAX]);

/* ---- the pages behind them: sim/dma_pages.c ---- */
/* NULL: no memory. One reference. */
struct dma_pages *dma_pages_user(struct sim_world *w, uint64_t start, uint64_t n_pages,
                                 bool writable, enum dma_charge charge);
/* `file` gets a reference; NULL: a file of a kind that cannot be pinned. */
struct dma_pages *dma_pages_file(struct sim_world *w, struct backing *file, uint64_t start,
                                 uint64_t n_pages, enum dma_charge charge);
void dma_pages_put(struct sim_world *w, struct dma_pages *p);
/* One more user of these pages: those without one are faulted in, charged, pinned. -EFAULT:
 * nothing there, or not allowed; -EINVAL: the same of a file; -ENOMEM: over the limit, or no
 * memory. Pages that were faulted in stay. */
int dma_pages_pin(struct sim_world *w, struct dma_pages *p, uint64_t first, uint64_t n);
void dma_pages_unpin(struct sim_world *w, struct dma_pages *p, uint64_t first, uint64_t n);
/* The same for one page of the process that no mapping shares. */
int dma_page_pin(struct sim_world *w, uint64_t address, bool write, uint32_t *frame);
void dma_page_unpin(struct sim_world *w, uint32_t frame);

#endif
