/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the oracle: what its files share. One flat block of memory; its pointers lead
 * into the block itself (and to the machine), so a copy of the bytes is a snapshot.
 *
 * A *slot* is one guest page at one address. The slots [0, n_pages) are the guest pages of
 * the program's numbering, each at its first address (or at none). Where a section shows
 * pages of a plain region a second time, its slots follow after n_pages: aliases. `home` is
 * the guest page that a slot shows.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include <assert.h>
#include <errno.h>

#include "model/model.h"

enum { ACCESS_READ = 1, ACCESS_WRITE = 2 };
#define NO_GPA UINT64_MAX

/* ---- where everything is: layout.c, fixed from model_new on but for what is absent ---- */
enum {
    SLOT_PLACED = 1,  /* has an address */
    SLOT_GMEM = 2,    /* can be private */
    SLOT_ROM = 4,     /* devices may only read it */
    SLOT_MMIO = 8,    /* nothing to map or convert */
    SLOT_HEAD = 16,   /* first page of its section */
    SLOT_HUGE = 32,   /* its shared side comes by the huge page, and is never dropped */
    SLOT_ABSENT = 64, /* its region is away: nothing is there */
    SLOT_VMEM = 128,  /* of a virtio-mem region: can be unplugged */
};

struct slot_info {
    uint64_t gpa_page; /* NO_GPA: not in a section */
    uint32_t home;
    uint32_t kind; /* SLOT_* */
};

struct section {
    uint64_t gpa_page;
    uint32_t n_pages;
    uint32_t region;
    uint32_t first_page; /* of the region */
    uint32_t home;       /* guest page of its first page */
    uint32_t alias;      /* slot of its first page where it is an alias; 0: it has none */
};

/* ---- what is seen and what is true ---- */
struct slot_state {
    struct view_page seen;
    uint32_t op_mark;   /* == op_serial: changed by this op, see change[change_index] */
    uint32_t call_mark; /* == call_serial: in dirty[] */
    uint32_t change_index;
};

struct map_state {
    struct view_mapping seen;
    uint32_t op_mark;
};

struct page_change {
    uint32_t slot;
    struct view_page pre;
};

struct map_change {
    uint32_t container;
    uint32_t slot;
    struct view_mapping pre;
};

enum {
    PAGE_PRIVATE = 1,
    PAGE_DEBT = 2, /* the other side may still be there */
    PAGE_UNPLUGGED = 4,
    PAGE_DIRTY = 8,  /* the next dirty-sync must say so */
    PAGE_MAYBE = 16, /* it may say so: an op failed that could have mapped the page */
    PAGE_HELD = 32,  /* another source holds it back from devices */
};
enum { LISTEN_IN = 1, LISTEN_HEAD = 2 }; /* part of a listener; its first page */

struct container_state {
    struct map_state *maps; /* by slot */
    uint8_t *listen;        /* by guest page: LISTEN_*; not used with listen_all */
    struct view_container seen;
    uint32_t n_devices;
    bool listen_all;
    bool live;          /* open before or after the op at hand */
    uint32_t listen_lo; /* no LISTEN_* bit is set outside [lo, hi) */
    uint32_t listen_hi;
    uint64_t mapped;       /* slots seen mapped */
    uint64_t entries;      /* entries that these imply; mapping=run: heads seen */
    uint64_t wanted;       /* slots that are shared and listened to */
    uint64_t wanted_units; /* entries that these imply with mapping=page */
};

/* A virtio-mem region; block == 0: it is none. In pages. */
struct vmem_state {
    uint32_t block, requested, usable, plugged;
};

/* Guest pages that another source of the region's manager holds back; hi == 0: there is none.
 */
struct held_state {
    uint32_t lo, hi;
};

enum model_phase { PHASE_BUILDING, PHASE_IDLE, PHASE_OP, PHASE_TEARDOWN, PHASE_LANES };
enum { PIN_NONE = 0 }; /* no frame has that number */
enum { CONTAINER_NONE = UINT32_MAX, CONTAINER_ANY = UINT32_MAX - 1 };

/* What the op at hand may do: set by plan_op (predict.c). */
struct plan {
    uint8_t kind;
    bool goes_on;              /* a fault that does not exit: nothing happens */
    bool free_result;          /* whatever it returns is right (the kernel answers, holes) */
    int refused;               /* positive errno of the decision table, 0: accepted */
    uint32_t container;        /* whose M may change: one, CONTAINER_ANY or CONTAINER_NONE */
    uint64_t lo, hi;           /* conversions, plugs, sources: GPA pages [lo, hi) */
    uint32_t home_lo, home_hi; /* other ops: guest pages */
    uint32_t slot;             /* data ops: slot, or MODEL_NO_PAGE */
    uint8_t response;          /* virtio-mem: what the guest is told with `refused` */
    bool to_private;
    bool candidate; /* OP_LISTEN: its bits are set already; OP_ADD: the region is there */
    bool too_many_entries; /* mapping=run: the target goes over a container's limit */
    /* mapping=run, by container: pages before and behind [lo, hi) of the mappings that are cut.
     * The rest of the struct is not kept otherwise. */
    uint32_t cut_head[PROGRAM_CONTAINERS_MAX], cut_tail[PROGRAM_CONTAINERS_MAX];
};

struct need {
    bool too_many_entries;
    bool too_much_locked;
    uint32_t in_use; /* mode=inplace: the first page that someone else holds, or none */
};

struct model {
    const struct machine *m;
    uint32_t n_pages, n_slots, n_sections, page_shift;
    uint32_t region_first[PROGRAM_REGIONS_MAX + 1];
    struct section sections[PROGRAM_SECTIONS_MAX]; /* ascending by address */
    struct slot_info *info;
    struct slot_state *slots;
    uint8_t *state;      /* by guest page: PAGE_* */
    uint64_t *tokens[2]; /* by guest page: content of the shared, the private side; in place of
                            the page: [0] */
    uint32_t *pins;      /* mode=inplace, by guest page: the frame that someone else holds, or
                            PIN_NONE; see rule_pin.c */
    uint64_t n_pins;

    uint8_t phase;
    bool runs;     /* mapping=run */
    bool in_place; /* mode=inplace: one frame a page, shown on the side that is live */
    bool stopped;
    bool drop_failed; /* ever: an old drop may be tried again at any time */
    bool touched;     /* something was seen since the last model_after_call */
    bool attached[PROGRAM_DEVICES_MAX];
    uint32_t guards[GUARD_KIND_COUNT]; /* taken by others */
    struct container_state containers[PROGRAM_CONTAINERS_MAX];
    struct view_totals totals, pre_totals;
    uint64_t visible_slots; /* placed RAM and ROM that is shared, and plugged */
    uint64_t visible_gmem;  /* of these, guest_memfd pages */
    struct vmem_state vmem[PROGRAM_REGIONS_MAX];
    struct held_state held[PROGRAM_REGIONS_MAX];
    bool migrating;
    uint32_t plain_sections;

    struct op flight[MODEL_LANES_MAX]; /* lanes.c: the ops in flight; OP_KIND_COUNT: none */
    uint32_t batch_kinds;              /* bit per enum op_kind that the batch has */
    struct op op;                      /* the one at hand */
    struct plan plan;
    uint32_t op_serial, call_serial;
    uint32_t n_changes, n_map_changes, n_dirty;
    struct page_change *changes;
    struct map_change *map_changes;
    uint32_t *dirty;

    enum model_outcome outcome;
    uint32_t pages_changed;
    bool has_pending;
    struct violation pending;
};

/* ---- layout.c ---- */
void layout_build(struct model *o);
uint32_t layout_slots(const struct machine *m);
uint32_t layout_page_size(const struct machine *m);
/* Slot at a GPA page, or MODEL_NO_PAGE. */
uint32_t layout_slot_at(const struct model *o, uint64_t gpa_page);
/* The same, and of the *n pages from there on how many have slots in a row. */
uint32_t layout_slots_at(const struct model *o, uint64_t gpa_page, uint64_t *n);
uint32_t layout_section_slot(const struct model *o, const struct section *s, uint32_t i);
/* First GPA of an op's range in bytes, NO_GPA where it has none. */
uint64_t layout_op_gpa(const struct model *o, const struct op *op);
/* The huge page that a guest page with SLOT_HUGE lies in. */
void layout_huge_page(const struct model *o, uint32_t home, uint32_t *lo, uint32_t *hi);
/* Guest pages [*lo, *hi) of a range in bytes of a region; false: empty, misaligned, outside. */
bool layout_range(const struct model *o, uint32_t region, uint64_t start, uint64_t size,
                  uint32_t *lo, uint32_t *hi);

/* ---- state.c: the abstract state ---- */
static inline bool page_is_private(const struct model *o, uint32_t home)
{
    return o->state[home] & PAGE_PRIVATE;
}

static inline bool page_is_unplugged(const struct model *o, uint32_t home)
{
    return o->state[home] & PAGE_UNPLUGGED;
}

/* May a device see it, where a listener is? */
static inline bool page_is_visible(const struct model *o, uint32_t home)
{
    return !(o->state[home] & (PAGE_PRIVATE | PAGE_UNPLUGGED | PAGE_HELD));
}

/* Does the container listen to that guest page (or did it when the op began)? */
static inline bool container_hears(const struct container_state *c, uint32_t home)
{
    return c->live && (c->listen_all || (c->listen[home] & LISTEN_IN));
}

static inline bool slot_mappable(const struct slot_info *i)
{
    return (i->kind & (SLOT_PLACED | SLOT_MMIO | SLOT_ABSENT)) == SLOT_PLACED;
}

static inline bool region_is_absent(const struct model *o, uint32_t region)
{
    return o->info[o->region_first[region]].kind & SLOT_ABSENT;
}

static inline uint32_t slot_access(const struct slot_info *i)
{
    return i->kind & SLOT_ROM ? ACCESS_READ : ACCESS_READ | ACCESS_WRITE;
}

/* Is this the first page of its section, or of a listener? */
static inline bool slot_starts(const struct model *o, const struct container_state *c,
                               uint32_t slot)
{
    const struct slot_info *i = &o->info[slot];

    return (i->kind & SLOT_HEAD) || (!c->listen_all && (c->listen[i->home] & LISTEN_HEAD));
}

/* mapping=page: is this the first page of something that takes one DMA entry? */
static inline bool slot_takes_entry(const struct model *o, const struct container_state *c,
                                    uint32_t slot)
{
    return (o->info[slot].kind & SLOT_GMEM) || slot_starts(o, c, slot);
}

/* Does the kernel limit how many mappings a container has? iommufd does not. */
static inline bool entries_are_limited(const struct model *o)
{
    uint8_t iommu = o->m->axis[AXIS_iommu];

    return iommu == IOMMU_TYPE1 || iommu == IOMMU_TYPE1V1;
}

/* Are pinned pages charged? type1 charges them whoever asks, iommufd only where a limit holds.
 */
static inline bool locked_pages_count(const struct model *o)
{
    return entries_are_limited(o) || o->m->memlock_pages;
}

/* Should it be mapped in the abstract state? */
static inline bool slot_wanted(const struct model *o, const struct container_state *c,
                               uint32_t slot)
{
    const struct slot_info *i = &o->info[slot];

    return slot_mappable(i) && container_hears(c, i->home) && page_is_visible(o, i->home);
}

/* By any container, as seen. */
static inline bool slot_is_mapped(const struct model *o, uint32_t slot)
{
    uint32_t mapped = 0;

    for (uint32_t c = 0; c < o->m->n_containers; c++)
        mapped |= o->containers[c].maps[slot].seen.frame;
    return mapped != 0;
}

/* A private page with nothing on its shared side: most pages are, and every rule for a page at
 * rest holds but for what maps it. */
static inline bool slot_is_plain_private(const struct model *o, uint32_t slot)
{
    const struct slot_info *i = &o->info[slot];
    const struct view_page *s = &o->slots[slot].seen;

    return (i->kind & SLOT_PLACED) && page_is_private(o, i->home) && s->is_private &&
           !s->is_populated && !s->shared_frame &&
           s->is_plugged != page_is_unplugged(o, i->home);
}

/* mode=inplace: a page keeps its frame, whichever side it shows. */
static inline uint32_t view_frame(const struct view_page *p)
{
    return p->shared_frame ? p->shared_frame : p->private_frame;
}

/* "ENOSPC" for 28; for reports. */
const char *errno_name(int error);

/* What the page showed when the op began. */
static inline const struct view_page *slot_pre(const struct model *o, uint32_t slot)
{
    const struct slot_state *s = &o->slots[slot];

    return s->op_mark == o->op_serial ? &o->changes[s->change_index].pre : &s->seen;
}

void state_start(struct model *o);
void state_flip(struct model *o, uint32_t slot);
/* A region that is here goes, with its listeners; one that is away comes, all private. */
void state_remove(struct model *o, uint32_t region);
void state_add(struct model *o, uint32_t region);
/* Guest pages [lo, hi) of a virtio-mem region. Unplugged pages are private. */
void state_plug(struct model *o, uint32_t region, uint32_t lo, uint32_t hi);
void state_unplug(struct model *o, uint32_t region, uint32_t lo, uint32_t hi);
/* Another source of a region comes, or goes. */
void state_hold(struct model *o, uint32_t region, uint32_t lo, uint32_t hi);
void state_let_go(struct model *o, uint32_t region);
void state_open(struct model *o, uint32_t container);
void state_close(struct model *o, uint32_t container);
/* Sets the bits of a listener on guest pages [lo, hi) and counts what it wants. */
void state_listen(struct model *o, uint32_t container, uint32_t lo, uint32_t hi);
void state_unlisten(struct model *o, uint32_t container, uint32_t lo, uint32_t hi);
bool state_is_listener(const struct model *o, uint32_t container, uint32_t lo, uint32_t hi);
/* Slots and entries that a listener on [lo, hi) would have to map. */
void state_count(const struct model *o, uint32_t lo, uint32_t hi, uint64_t *slots,
                 uint64_t *entries);

/* ---- partition.c: mapping=run ---- */
/* The page before it in the same section, or MODEL_NO_PAGE. */
uint32_t slot_before(const struct model *o, uint32_t slot);
/* Adds to the plan of an op that is not refused. */
void partition_plan(const struct model *o, struct plan *p);
/* split=remap: is the slot in the request, or part of a mapping that it cuts? */
bool partition_remaps(const struct model *o, uint32_t container, uint32_t slot);

/* ---- lanes.c ---- */
/* May K, T or the plugged state of the slot change now? Its mapping? May it lose a live side?
 */
bool lanes_change(const struct model *o, uint32_t slot);
bool lanes_map(const struct model *o, uint32_t slot);
bool lanes_renew(const struct model *o, uint32_t slot);
/* Does an op of the batch bring or take listeners or memory, so that the abstract state says
 * nothing of who hears what? */
bool lanes_move_listeners(const struct model *o);
static inline bool batch_has(const struct model *o, uint32_t kind)
{
    return o->phase == PHASE_LANES && (o->batch_kinds >> kind & 1);
}

/* ---- predict.c: the decision table ---- */
/* Does the op make GPA pages [lo, hi) private? Unplugged pages are. */
static inline bool plan_makes_private(const struct plan *p)
{
    return (p->kind == OP_CONVERT && p->to_private && !p->goes_on) || p->kind == OP_UNPLUG ||
           p->kind == OP_UNPLUG_ALL;
}

static inline bool plan_is_source(const struct plan *p)
{
    return p->kind == OP_SOURCE_ADD || p->kind == OP_SOURCE_REMOVE;
}

/* Does it take away what is mapped of the pages, so that it may cut mappings? */
static inline bool plan_unmaps(const struct plan *p)
{
    return plan_makes_private(p) || p->kind == OP_SOURCE_ADD;
}

/* The first guest page of GPA pages [lo, hi) that stands in the way of becoming private. */
uint32_t pin_in_the_way(const struct model *o, uint64_t lo, uint64_t hi);

void plan_op(const struct model *o, const struct op *op, struct plan *p);
/* Does the target state of the planned op go over a limit? In the state before the op. */
struct need plan_need(const struct model *o, const struct plan *p);
/* Sections of the op's region that are mapped as a whole when it comes, and their pages. */
uint64_t plan_plain_sections(const struct model *o, const struct plan *p, uint64_t *pages);
/* May K, T of this slot change in this op? Its being plugged? Its M in that container? */
bool plan_changes(const struct model *o, uint32_t slot);
bool plan_plugs(const struct model *o, uint32_t slot);
bool plan_maps(const struct model *o, uint32_t container, uint32_t slot);
/* Is the slot's memory taken away or made anew as a whole? */
bool plan_renews(const struct model *o, uint32_t slot);
/* May its current side come into being? Its shared side, as a part of a huge page? */
bool plan_touches(const struct model *o, uint32_t slot);
bool plan_touches_huge(const struct model *o, uint32_t slot);

/* ---- sources.c: what others hold back ---- */
void plan_source(const struct model *o, const struct op *op, struct plan *p);
/* Pages that would become visible if the source went, for each container that hears them. */
void plan_count_held(const struct model *o, const struct plan *p, uint64_t *more);

/* ---- guards.c ---- */
/* EBUSY: someone holds a discard guard that this kind does not go with. */
int guard_refuses(const struct model *o, uint32_t kind);
void plan_guard(const struct model *o, const struct op *op, struct plan *p);
void adopt_guard(struct model *o);

/* ---- plan_virtio_mem.c: the requests of virtio-mem, and migration's ---- */
void plan_plug(const struct model *o, const struct op *op, struct plan *p);
void plan_unplug_all(const struct model *o, const struct op *op, struct plan *p);
void plan_resize(const struct model *o, const struct op *op, struct plan *p);
void plan_migrate(const struct model *o, const struct op *op, struct plan *p);
/* Pages that a plug would make visible, for each container that hears them. */
void plan_count_plugged(const struct model *o, const struct plan *p, uint64_t *more);

/* ---- migration.c: which pages are dirty ---- */
void migration_start(struct model *o);
void migration_stop(struct model *o);
/* A mapping of the slot came, went, or is there. */
void migration_mapped(struct model *o, uint32_t slot);
/* The op made host calls that failed: what it could have mapped, nobody has to have seen. */
void migration_failed(struct model *o);
/* The answer was given: what is mapped stays dirty, all else is clean. */
void migration_synced(struct model *o);

#include "model/rules.h"

#endif
