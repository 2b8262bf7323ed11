/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows for "every allocation of the task fails": group pfail. Everything is prepared, then the
 * arena is filled to the brim, so that whatever needs memory must fail and whatever needs none
 * must not notice.
 */
#ifndef TESTS_ANSWERS_PFAIL_H
#define TESTS_ANSWERS_PFAIL_H

#include "answers_iommufd.h"

#define PREPARED_GPA (64 * MiB)

static void fill_arena(struct bench *b)
{
    for (size_t size = SIM_ARENA_SIZE; size; size /= 2)
        while (sim_world_memory(b->fx.w, size))
            ;
    assert_null(sim_world_memory(b->fx.w, 64));
}

/* Mappings to remove, a VM with a private page, another without any attribute yet, a
 * guest_memfd without pages, memory that was never touched. */
static int64_t new_full_world(struct bench *b, const struct row *row)
{
    new_vfio_world(b, row);
    fx_open(&b->fx);
    assert_int_equal(fx_set_iommu(&b->fx, VFIO_TYPE1v2_IOMMU), 0);
    assert_int_equal(fx_map(&b->fx, 1 * MiB, b->ram, PS, RW), 0);
    assert_int_equal(fx_map(&b->fx, 2 * MiB, b->ram, 2 * MiB, RW), 0);
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(fx_map(&b->fx, 8 * MiB + i * PS, b->ram, PS, RW), 0);
    b->kvm = host_open(&b->fx.h, "/dev/kvm", O_RDWR);
    b->other_vm = create_vm(b, KVM_X86_SW_PROTECTED_VM);
    b->vm = create_vm(b, KVM_X86_SW_PROTECTED_VM);
    b->gmem = create_gmem(b, b->vm, GMEM_SIZE, 0);
    assert_int_equal(set_attributes(b, PREPARED_GPA, PS, PRIVATE, 0), 0);
    fill_arena(b);
    return b->gmem;
}

/* The same with a device in an IOAS. */
static int64_t new_full_iommufd_world(struct bench *b, const struct row *row)
{
    new_iommufd_world(b, row);
    assert_true(open_iommu(b, row) >= 0 && open_cdev(b, row) >= 0);
    assert_int_equal(ioas_alloc(b, row), 0);
    assert_int_equal(bind_cdev(b, row), 0);
    assert_int_equal(attach_cdev(b, row), 0);
    assert_int_equal(io_map(&b->fx, b->iommufd, b->ioas, 1 * MiB, b->ram, PS), 0);
    assert_int_equal(io_map(&b->fx, b->iommufd, b->ioas, 2 * MiB, b->ram, 2 * MiB), 0);
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(io_map(&b->fx, b->iommufd, b->ioas, 8 * MiB + i * PS, b->ram, PS), 0);
    fill_arena(b);
    return 0;
}

/* Of the VM that has no attribute yet. a: size */
static int64_t first_private(struct bench *b, const struct row *row)
{
    struct kvm_memory_attributes a = {PREPARED_GPA, row->a[0], PRIVATE, 0};
    return host_ioctl(&b->fx.h, b->other_vm, KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static const struct row pfail_rows[] = {
    P(new_full_world, 0),
    R("pfail", "[all allocs fail] CREATE_GUEST_MEMFD", create, MiB),
    R("pfail", "[all allocs fail] ATTR private 1 page", first_private, PS),
    R("pfail", "[all allocs fail] ATTR private 2M", first_private, 2 * MiB),
    R("pfail", "[all allocs fail] ATTR private->shared 1 page", attribute, PREPARED_GPA, PS, 0),
    R("pfail", "[all allocs fail] ATTR private->shared of nothing", attribute, PREPARED_GPA, PS,
      0),
    R("pfail", "[all allocs fail] fallocate KEEP 4K", fallocate_gmem, MODE_KEEP, 0, PS),
    R("pfail", "[all allocs fail] PUNCH 2M", fallocate_gmem, MODE_PUNCH, 0, 2 * MiB),
    R("pfail", "[all allocs fail] type1 MAP 4K", map, 16 * MiB, PS, V_RAM_B, RW),
    R("pfail", "[all allocs fail] type1 UNMAP 4K", unmap, 1 * MiB, PS),
    R("pfail", "[all allocs fail] type1 UNMAP 2M", unmap, 2 * MiB, 2 * MiB),
    R("pfail", "[all allocs fail] type1 UNMAP 64K of 16", unmap, 8 * MiB, 64 * KiB),
    R("pfail", "[all allocs fail] type1 UNMAP ALL", unmap, 0, 0, UNMAP_ALL),
    P(new_full_iommufd_world, 0),
    R("pfail", "[all allocs fail] IOAS_MAP 4K", map, 16 * MiB, PS, V_RAM_B),
    R("pfail", "[all allocs fail] IOAS_UNMAP 4K", unmap, 1 * MiB, PS),
    R("pfail", "[all allocs fail] IOAS_UNMAP 2M", unmap, 2 * MiB, 2 * MiB),
    R("pfail", "[all allocs fail] IOAS_UNMAP 64K of 16", unmap, 8 * MiB, 64 * KiB),
};

#endif
