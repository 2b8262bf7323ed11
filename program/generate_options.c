/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --set can fix: every axis, and the fields of a table. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "program/complain.h"
#include "program/generate_internal.h"
#include "program/validate.h"

enum field {
    FIELD_SHARE,
    FIELD_PAGES,
    FIELD_REGIONS,
    FIELD_CONTAINERS,
    FIELD_VCPUS,
    FIELD_OPS,
    FIELD_ENTRIES,
    FIELD_CONVERSIONS,
    FIELD_FAULTS,
    FIELD_ALLOC_FAULTS,
    FIELD_FEATURES, /* one each from here on */
    FIELD_COUNT = FIELD_FEATURES + FEATURE_COUNT
};

#define FEATURE(feature, name, help)                                                           \
    [FIELD_FEATURES + FEATURE_##feature] = {name, "on|off|free", help, 0, 0}

static const struct {
    const char *name;
    const char *values;
    const char *help;
    uint32_t min, max;
} fields[FIELD_COUNT] = {
    [FIELD_SHARE] = {"share", "anon|memfd|hugetlb|free",
                     "what holds the shared side of a region", 0, 0},
    [FIELD_PAGES] = {"pages", "1..262144|free", "guest pages over all regions", 1,
                     PROGRAM_PAGES_MAX},
    [FIELD_REGIONS] = {"regions", "1..8|free", "memory regions", 1, PROGRAM_REGIONS_MAX},
    [FIELD_CONTAINERS] = {"containers", "0..4|free", "DMA containers", 0,
                          PROGRAM_CONTAINERS_MAX},
    [FIELD_VCPUS] = {"vcpus", "1..8|free", "vCPUs", 1, PROGRAM_VCPUS_MAX},
    [FIELD_OPS] = {"ops", "1..65536|free", "ops of a program, faults included", 1,
                   PROGRAM_OPS_MAX},
    [FIELD_ENTRIES] = {"entries", "1..4294967295|free", "DMA entries of a container", 1,
                       UINT32_MAX},
    [FIELD_CONVERSIONS] = {"conversions", "1..99|free", "percent of ops that convert, about", 1,
                           99},
    [FIELD_FAULTS] = {"faults", "on|off|free", "on: one in every program, off: none", 0, 0},
    [FIELD_ALLOC_FAULTS] = {"alloc_faults", "on|off|free",
                            "off: no fault hits core/alloc, whose calls are not the same with "
                            "each tracker",
                            0, 0},
    FEATURE(VIRTIO_MEM, "virtio_mem", "regions with virtio-mem, plug and unplug"),
    FEATURE(HOTPLUG, "hotplug", "regions are removed and added"),
    FEATURE(RESET, "reset", "the guest is reset"),
    FEATURE(PINS, "pins", "others hold pages; needs mode=inplace"),
    FEATURE(GUARDS, "guards", "others take discard guards"),
    FEATURE(MIGRATION, "migration", "migrate and dirty-sync"),
    FEATURE(HUGETLB, "hugetlb", "most regions on huge pages"),
    FEATURE(SOURCES, "sources", "others hold pages back from devices"),
};

static const char *const axis_help[AXIS_COUNT] = {
    [AXIS_mode] = "how a page changes sides",
    [AXIS_order] = "what a conversion to private does first",
    [AXIS_failure] = "what a conversion that fails does",
    [AXIS_tracker] = "what remembers which pages are shared",
    [AXIS_iommu] = "what maps memory for devices",
    [AXIS_mapping] = "what one DMA mapping covers",
    [AXIS_split] = "what happens to a mapping of which a part must go",
    [AXIS_kernel] = "whose semantics the mock kernel has",
    [AXIS_page_size] = "size of a page",
};

void generate_defaults(struct generate_options *o)
{
    assert(o);
    memset(o, 0, sizeof(*o));
    memset(o->axis, -1, sizeof(o->axis));
    o->n_containers = UINT32_MAX;
    o->share = -1;
    o->faults = -1;
    o->alloc_faults = -1;
    memset(o->feature, -1, sizeof(o->feature));
}

const char *generate_key(uint32_t i, const char **values, const char **help)
{
    assert(values && help);
    if (i < AXIS_COUNT) {
        *values = program_axis_values(i);
        *help = axis_help[i];
        return program_axis_name(i);
    }
    i -= AXIS_COUNT;
    if (i >= FIELD_COUNT)
        return NULL;
    *values = fields[i].values;
    *help = fields[i].help;
    return fields[i].name;
}

static bool is(const char *s, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(s, name, n) == 0;
}

/* Printable, and short enough for one line. */
struct shown {
    char s[40];
};

static struct shown show(const char *s, size_t n)
{
    struct shown shown;
    size_t i;

    for (i = 0; i < n && i + 1 < sizeof(shown.s); i++)
        shown.s[i] = s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?';
    shown.s[i] = 0;
    return shown;
}

static int set_axis(struct generate_options *o, uint32_t axis, const char *value,
                    const struct complaint *c)
{
    if (strcmp(value, "free") == 0) {
        o->axis[axis] = -1;
        return 0;
    }
    for (uint32_t i = 0; i < program_axis_count(axis); i++) {
        if (strcmp(value, program_axis_value(axis, i)) == 0) {
            o->axis[axis] = (int8_t)i;
            return 0;
        }
    }
    return complain(c, "unknown axis value %s=%s; this version has: %s",
                    program_axis_name(axis), show(value, strlen(value)).s,
                    program_axis_values(axis));
}

static int parse_u32(uint32_t field, const char *s, uint32_t *out, const struct complaint *c)
{
    const char *name = fields[field].name;
    uint64_t n = 0;

    for (const char *at = s; *at; at++) {
        if (*at < '0' || *at > '9')
            return complain(c, "%s: expected %s, got '%s'", name, fields[field].values,
                            show(s, strlen(s)).s);
        if (n <= UINT32_MAX)
            n = n * 10 + (uint64_t)(*at - '0');
    }
    if (!*s || n < fields[field].min || n > fields[field].max)
        return complain(c, "%s: expected %s, got '%s'", name, fields[field].values,
                        show(s, strlen(s)).s);
    *out = (uint32_t)n;
    return 0;
}

/* One of the names, or "free" for -1. */
static int set_name(int8_t *out, uint32_t field, const char *const *names, const char *value,
                    const struct complaint *c)
{
    for (int8_t i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    *out = -1;
    if (strcmp(value, "free") == 0)
        return 0;
    return complain(c, "%s: expected %s, got '%s'", fields[field].name, fields[field].values,
                    show(value, strlen(value)).s);
}

/* Two values can be good and not go together. */
static int check_together(const struct generate_options *o, const struct complaint *c)
{
    struct machine m = {.n_vcpus = 1};
    struct gen g = {.r = rng_make(0, RNG_PROGRAM), .m = &m, .o = o};

    gen_axes(&g);
    if (o->feature[FEATURE_PINS] == 1 && m.axis[AXIS_mode] != MODE_INPLACE)
        return complain(c, "pins=on needs mode=inplace");
    if (o->feature[FEATURE_HUGETLB] >= 0 && o->share >= 0)
        return complain(c, "hugetlb= says nothing more where share= is given");
    return validate_axes(&m, c);
}

static int set_field(struct generate_options *o, uint32_t field, const char *value,
                     const struct complaint *c)
{
    static const char *const off_on[] = {"off", "on", NULL};
    static const char *const shares[] = {"anon", "memfd", "hugetlb", NULL};
    uint32_t *const numbers[FIELD_FAULTS] = {
        [FIELD_PAGES] = &o->n_pages,
        [FIELD_REGIONS] = &o->n_regions,
        [FIELD_CONTAINERS] = &o->n_containers,
        [FIELD_VCPUS] = &o->n_vcpus,
        [FIELD_OPS] = &o->n_ops,
        [FIELD_ENTRIES] = &o->entry_limit,
        [FIELD_CONVERSIONS] = &o->conversions,
    };

    assert(field < FIELD_COUNT);
    if (field == FIELD_ALLOC_FAULTS)
        return set_name(&o->alloc_faults, field, off_on, value, c);
    if (field == FIELD_FAULTS)
        return set_name(&o->faults, field, off_on, value, c);
    if (field >= FIELD_FEATURES)
        return set_name(&o->feature[field - FIELD_FEATURES], field, off_on, value, c);
    if (field == FIELD_SHARE)
        return set_name(&o->share, field, shares, value, c);
    if (strcmp(value, "free") == 0) {
        *numbers[field] = field == FIELD_CONTAINERS ? UINT32_MAX : 0;
        return 0;
    }
    return parse_u32(field, value, numbers[field], c);
}

static int unknown_key(const char *key, size_t n, const struct complaint *c)
{
    char names[320];
    size_t used = 0;
    const char *values, *help, *name;

    names[0] = 0;
    for (uint32_t i = 0; (name = generate_key(i, &values, &help)) && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, " %s", name);
    return complain(c, "unknown key '%s'; there are:%s", show(key, n).s, names);
}

int generate_set(struct generate_options *o, const char *assignment, char *why, size_t why_size)
{
    const struct complaint c = {why, why_size};
    const char *equals = strchr(assignment, '=');
    size_t n = equals ? (size_t)(equals - assignment) : strlen(assignment);

    assert(o && assignment);
    if (!equals)
        return complain(&c, "expected key=value, got '%s'", show(assignment, n).s);
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        if (is(assignment, n, program_axis_name(i)))
            return set_axis(o, i, equals + 1, &c) ? -EINVAL : check_together(o, &c);
    }
    for (uint32_t i = 0; i < FIELD_COUNT; i++) {
        if (is(assignment, n, fields[i].name))
            return set_field(o, i, equals + 1, &c) ? -EINVAL : check_together(o, &c);
    }
    return unknown_key(assignment, n, &c);
}
