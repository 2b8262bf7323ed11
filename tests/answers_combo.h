/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows for guest, device and conversions together: groups combo and cmb-swp. */
#ifndef TESTS_ANSWERS_COMBO_H
#define TESTS_ANSWERS_COMBO_H

#include "answers_vfio.h"

enum { COMBO_GPA = 1 * MiB, COMBO_PAGES = 16 };

static int64_t new_combo_world(struct bench *b, const struct row *row)
{
    new_vfio_world(b, row);
    fx_open(&b->fx);
    b->kvm = host_open(&b->fx.h, "/dev/kvm", O_RDWR);
    b->vm = host_ioctl(&b->fx.h, b->kvm, KVM_CREATE_VM,
                       (void *)(unsigned long)KVM_X86_SW_PROTECTED_VM);
    b->gmem = create_gmem(b, b->vm, COMBO_PAGES * PS, 0);
    return b->gmem;
}

static int combo_attribute(struct bench *b, uint64_t attribute)
{
    return set_attributes(b, COMBO_GPA, PS, attribute, 0);
}

static int64_t combo_slot(struct bench *b, const struct row *row)
{
    (void)row;
    return set_slot(b, 0, COMBO_GPA, COMBO_PAGES * PS, 0, SLOT_GMEM, KVM_MEM_GUEST_MEMFD);
}

static int64_t combo_to_private(struct bench *b, const struct row *row)
{
    (void)row;
    int64_t removed = fx_unmap(&b->fx, COMBO_GPA, PS);
    int r = combo_attribute(b, KVM_MEMORY_ATTRIBUTE_PRIVATE);
    return r ? r : removed;
}

static int64_t combo_to_shared(struct bench *b, const struct row *row)
{
    (void)row;
    int r = combo_attribute(b, 0);
    r = r ? r : fx_punch(&b->fx, b->gmem, 0, PS);
    return r ? r : fx_map(&b->fx, COMBO_GPA, b->ram, PS, RW);
}

/* The bug: the shared page goes while the device has it. */
static int64_t combo_private_without_unmap(struct bench *b, const struct row *row)
{
    (void)row;
    int r = combo_attribute(b, KVM_MEMORY_ATTRIBUTE_PRIVATE);
    return r ? r : fx_punch(&b->fx, b->ram_fd, 0, PS);
}

static int64_t combo_shared_only(struct bench *b, const struct row *row)
{
    (void)row;
    return combo_attribute(b, 0);
}

static int64_t combo_remap(struct bench *b, const struct row *row)
{
    (void)row;
    int64_t removed = fx_unmap(&b->fx, COMBO_GPA, PS);
    return removed < 0 ? removed : fx_map(&b->fx, COMBO_GPA, b->ram, PS, RW);
}

static int64_t combo_unmap(struct bench *b, const struct row *row)
{
    int64_t removed = fx_unmap(&b->fx, COMBO_GPA, row->a[0]);
    return removed;
}

/* a: token; 1: it must not land */
static int64_t device_write(struct bench *b, const struct row *row)
{
    int r = sim_dma_write(b->fx.w, 0, COMBO_GPA, row->a[0]);
    return row->a[1] ? (r == -EFAULT ? 0 : -EIO) : r;
}

static int64_t combo_guest_write(struct bench *b, const struct row *row)
{
    return sim_guest_write(b->fx.w, COMBO_GPA, row->a[0]);
}

static int64_t note_combo_guest(struct bench *b, const struct row *row)
{
    uint64_t token = 0;
    (void)row;
    int r = sim_guest_read(b->fx.w, COMBO_GPA, &token);
    snprintf(b->note, sizeof(b->note), "eax=%llx", (unsigned long long)token);
    return r;
}

static int64_t note_combo_device_buffer(struct bench *b, const struct row *row)
{
    uint64_t token = 0;
    (void)row;
    if (sim_dma_read(b->fx.w, 0, COMBO_GPA, &token))
        token = 0;
    snprintf(b->note, sizeof(b->note), "%08llx", (unsigned long long)token);
    return 0;
}

static int64_t note_combo_hva(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "reads %08llx",
             (unsigned long long)cpu_page(b, b->ram)->content);
    return 0;
}

static const struct row combo_rows[] = {
    P(new_combo_world, 0),
    R("combo", "SET_IOMMU v2", set_iommu, VFIO_TYPE1v2_IOMMU),
    P(device_fd),
    R("combo", "VFIO_DEVICE_GET_INFO", device_info),
    N("combo", "regions=", device_info),
    R("combo", "REGION_INFO bar0", region_info),
    R("combo", "mmap bar0", mmap_bar0),
    R("cmb-swp", "slot gmem", combo_slot),
    R("cmb-swp", "1 map DMA iova=gpa (shared page)", map, COMBO_GPA, PS, V_RAM, RW),
    P(device_write, 0xa5a5a5a5),
    N("cmb-swp", "1 device wrote a5a5a5a5 while shared+mapped:", note_combo_guest),
    R("cmb-swp", "2 UNMAP_DMA then -> private", combo_to_private),
    P(combo_guest_write, 0x55667788),
    P(device_write, 0x22222222, true),
    N("cmb-swp", "2 guest wrote secret", note_combo_guest),
    N("cmb-swp", "2 device buffer after", note_combo_device_buffer),
    R("cmb-swp", "3 -> shared, PUNCH gmem, map", combo_to_shared),
    P(device_write, 0x33333333),
    N("cmb-swp", "3 device wrote 33333333", note_combo_guest),
    R("cmb-swp", "4 BUG: private WITHOUT unmap; discard shared page",
      combo_private_without_unmap),
    P(device_write, 0x44),
    N("cmb-swp", "4 device wrote 44 via", note_combo_guest),
    N("cmb-swp", "4 faults seen=", note_combo_hva),
    P(combo_shared_only),
    P(device_write, 0x44),
    N("cmb-swp", "4 back to shared, not remapped:", note_combo_guest),
    R("cmb-swp", "5 correct: UNMAP + MAP", combo_remap),
    P(device_write, 0x44444444),
    N("cmb-swp", "5 after remap device wrote 44444444:", note_combo_guest),
    P(combo_unmap, PS),
    R("cmb-swp", "6 one MAP of 64K", map, COMBO_GPA, COMBO_PAGES *PS, V_RAM, RW),
    R("cmb-swp", "6 UNMAP of page 0 only", combo_unmap, PS),
};

#endif
