/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows for KVM and guest_memfd: groups kvm, kvm-def, kvm-sw, kvm-run. */
#ifndef TESTS_ANSWERS_KVM_H
#define TESTS_ANSWERS_KVM_H

#include "answers.h"

enum slot_file { SLOT_GMEM, SLOT_BAD_FD, SLOT_NULL, SLOT_OTHER_GMEM };
enum { MODE_KEEP = FALLOC_FL_KEEP_SIZE, MODE_PUNCH = MODE_KEEP | FALLOC_FL_PUNCH_HOLE };
enum { ATTR_READ = 1 << 0, ATTR_NEXT = 1 << 4 };

#define KiB         (1ull << 10)
#define PRIVATE     KVM_MEMORY_ATTRIBUTE_PRIVATE
#define GMEM_SIZE   (4 * MiB)
#define LOG_DIRTY   (KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES)
#define GMEM_RDONLY (KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY)

/* ---- the calls ---- */
static int create_gmem(struct bench *b, int vm, uint64_t size, uint64_t flags)
{
    struct kvm_create_guest_memfd g = {.size = size, .flags = flags};
    return host_ioctl(&b->fx.h, vm, KVM_CREATE_GUEST_MEMFD, &g);
}

static int set_attributes(struct bench *b, uint64_t address, uint64_t size, uint64_t attributes,
                          uint64_t flags)
{
    struct kvm_memory_attributes a = {address, size, attributes, flags};
    return host_ioctl(&b->fx.h, b->vm, KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static int set_slot(struct bench *b, uint32_t slot, uint64_t gpa, uint64_t size,
                    uint64_t offset, enum slot_file file, uint32_t flags)
{
    const int fds[] = {[SLOT_GMEM] = b->gmem,
                       [SLOT_BAD_FD] = -1,
                       [SLOT_NULL] = b->null,
                       [SLOT_OTHER_GMEM] = b->other_gmem};
    struct kvm_userspace_memory_region2 r = {.slot = slot,
                                             .flags = flags,
                                             .guest_phys_addr = gpa,
                                             .memory_size = size,
                                             .userspace_addr = b->ram,
                                             .guest_memfd_offset = offset,
                                             .guest_memfd = (uint32_t)fds[file]};
    return host_ioctl(&b->fx.h, b->vm, KVM_SET_USER_MEMORY_REGION2, &r);
}

static int create_vm(struct bench *b, uint64_t type)
{
    return host_ioctl(&b->fx.h, b->kvm, KVM_CREATE_VM, (void *)(unsigned long)type);
}

/* ---- rows: the system ---- */
static int64_t new_kvm_world(struct bench *b, const struct row *row)
{
    (void)row;
    memset(b, 0, sizeof(*b));
    fx_world(&b->fx, UINT64_MAX);
    b->ram = fx_ram(&b->fx, 4 * MiB);
    return 0;
}

static int64_t open_kvm(struct bench *b, const struct row *row)
{
    (void)row;
    return b->kvm = host_open(&b->fx.h, "/dev/kvm", O_RDWR);
}

static int64_t note_kvm_api(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "%d",
             host_ioctl(&b->fx.h, b->kvm, KVM_GET_API_VERSION, NULL));
    return 0;
}

static int extension(struct bench *b, int fd, unsigned long capability)
{
    return host_ioctl(&b->fx.h, fd, KVM_CHECK_EXTENSION, (void *)capability);
}

/* a: capability */
static int64_t note_capability(struct bench *b, const struct row *row)
{
    snprintf(b->note, sizeof(b->note), "%d", extension(b, b->kvm, row->a[0]));
    return 0;
}

static int64_t note_vm_capabilities(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note),
             "MEMORY_ATTRIBUTES=%d GUEST_MEMFD=%d GUEST_MEMFD_FLAGS=%d",
             extension(b, b->vm, KVM_CAP_MEMORY_ATTRIBUTES),
             extension(b, b->vm, KVM_CAP_GUEST_MEMFD),
             extension(b, b->vm, KVM_CAP_GUEST_MEMFD_FLAGS));
    return 0;
}

/* a: type */
static int64_t vm_of_type(struct bench *b, const struct row *row)
{
    int fd = create_vm(b, row->a[0]);
    if (fd >= 0)
        b->vm = fd;
    return fd;
}

static const struct row kvm_rows[] = {
    P(new_kvm_world),
    F("kvm", "open /dev/kvm", open_kvm),
    N("kvm", "api=", note_kvm_api),
    N("kvm", "sys cap MEMORY_ATTRIBUTES(233)=", note_capability, KVM_CAP_MEMORY_ATTRIBUTES),
    N("kvm", "sys cap GUEST_MEMFD(234)=", note_capability, KVM_CAP_GUEST_MEMFD),
    N("kvm", "sys cap VM_TYPES(235)=", note_capability, KVM_CAP_VM_TYPES),
    N("kvm", "sys cap PRE_FAULT_MEMORY(236)=", note_capability, KVM_CAP_PRE_FAULT_MEMORY),
    N("kvm", "sys cap USER_MEMORY2(231)=", note_capability, KVM_CAP_USER_MEMORY2),
    N("kvm", "sys cap GUEST_MEMFD_FLAGS(244)=", note_capability, KVM_CAP_GUEST_MEMFD_FLAGS),
    N("kvm", "sys cap EXIT_HYPERCALL(201)=", note_capability, KVM_CAP_EXIT_HYPERCALL),
    N("kvm", "sys cap MEMORY_FAULT_INFO(232)=", note_capability, KVM_CAP_MEMORY_FAULT_INFO),
    N("kvm", "sys cap NR_MEMSLOTS(10)=", note_capability, KVM_CAP_NR_MEMSLOTS),
    N("kvm", "sys cap SYNC_MMU(16)=", note_capability, KVM_CAP_SYNC_MMU),
    F("kvm", "KVM_CREATE_VM type=0", vm_of_type, 0),
    N("kvm", "vm type 0 caps:", note_vm_capabilities),
    F("kvm", "KVM_CREATE_VM type=1", vm_of_type, 1),
    N("kvm", "vm type 1 caps:", note_vm_capabilities),
    R("kvm", "KVM_CREATE_VM type=2", vm_of_type, 2),
    R("kvm", "KVM_CREATE_VM type=3", vm_of_type, 3),
    R("kvm", "KVM_CREATE_VM type=4", vm_of_type, 4),
    R("kvm", "KVM_CREATE_VM type=5", vm_of_type, 5),
};

/* ---- rows: guest_memfd and attributes, of a VM of each type ---- */
/* a: type */
static int64_t new_vm_world(struct bench *b, const struct row *row)
{
    new_kvm_world(b, row);
    b->kvm = host_open(&b->fx.h, "/dev/kvm", O_RDWR);
    b->null = host_open(&b->fx.h, "/dev/null", O_RDWR);
    b->other_vm = create_vm(b, row->a[0]);
    b->other_gmem = create_gmem(b, b->other_vm, GMEM_SIZE, 0);
    b->vm = create_vm(b, row->a[0]);
    return b->gmem = create_gmem(b, b->vm, GMEM_SIZE, 0);
}

/* a: size, flags; closed again at once */
static int64_t create(struct bench *b, const struct row *row)
{
    int fd = create_gmem(b, b->vm, row->a[0], row->a[1]);
    if (fd >= 0)
        assert_int_equal(host_close(&b->fx.h, fd), 0);
    return fd;
}

static int64_t gmem_read(struct bench *b, const struct row *row)
{
    char byte;
    (void)row;
    return host_read(&b->fx.h, b->gmem, &byte, 1);
}

static int64_t gmem_write(struct bench *b, const struct row *row)
{
    (void)row;
    return b->fx.h.ops->write(b->fx.h.ctx, __func__, b->gmem, "x", 1);
}

static int64_t gmem_pread(struct bench *b, const struct row *row)
{
    char byte;
    (void)row;
    return b->fx.h.ops->pread(b->fx.h.ctx, __func__, b->gmem, &byte, 1, 0);
}

/* a: size */
static int64_t gmem_truncate(struct bench *b, const struct row *row)
{
    return host_ftruncate(&b->fx.h, b->gmem, (int64_t)row->a[0]);
}

/* a: MAP_SHARED or MAP_PRIVATE */
static int64_t gmem_mmap(struct bench *b, const struct row *row)
{
    uint64_t address;
    return host_mmap(&b->fx.h, 0, PS, PROT_READ | PROT_WRITE, (int)row->a[0], b->gmem, 0,
                     &address);
}

/* a: mode, offset, length */
static int64_t fallocate_gmem(struct bench *b, const struct row *row)
{
    return host_fallocate(&b->fx.h, b->gmem, (int)row->a[0], (int64_t)row->a[1],
                          (int64_t)row->a[2]);
}

/* a: address, size, attributes, flags */
static int64_t attribute(struct bench *b, const struct row *row)
{
    return set_attributes(b, row->a[0], row->a[1], row->a[2], row->a[3]);
}

/* a: slot, gpa, size, offset, which file, flags */
static int64_t slot(struct bench *b, const struct row *row)
{
    return set_slot(b, (uint32_t)row->a[0], row->a[1], row->a[2], row->a[3],
                    (enum slot_file)row->a[4], (uint32_t)row->a[5]);
}

/* The ioctl that came before, with the new flag. */
static int64_t old_slot(struct bench *b, const struct row *row)
{
    struct kvm_userspace_memory_region r = {.slot = 5,
                                            .flags = KVM_MEM_GUEST_MEMFD,
                                            .guest_phys_addr = row->a[0],
                                            .memory_size = MiB,
                                            .userspace_addr = b->ram};
    return host_ioctl(&b->fx.h, b->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static int64_t close_gmem(struct bench *b, const struct row *row)
{
    (void)row;
    return host_close(&b->fx.h, b->gmem);
}

/* The group is filled in as the rows run: kvm-def, then kvm-sw. */
static const struct row gmem_rows[] = {
    R(NULL, "create size=0", create, 0),
    R(NULL, "create size=4095", create, PS - 1),
    R(NULL, "create size=-4096 (neg)", create, -PS),
    F(NULL, "create size=2^62", create, 1ull << 62),
    R(NULL, "create 1M flags=1<<0", create, MiB, 1 << 0),
    R(NULL, "create 1M flags=1<<1", create, MiB, 1 << 1),
    R(NULL, "create 1M flags=1<<2", create, MiB, 1 << 2),
    R(NULL, "create 1M flags=1<<3", create, MiB, 1 << 3),
    R(NULL, "create 1M flags=3 (MMAP|INIT_SHARED)", create, MiB, 3),
    R(NULL, "create 1M flags=1<<63", create, MiB, 1ull << 63),
    F(NULL, "create 4K flags=0", create, PS),
    R(NULL, "gmem read", gmem_read),
    R(NULL, "gmem write", gmem_write),
    R(NULL, "gmem pread", gmem_pread),
    R(NULL, "gmem ftruncate same", gmem_truncate, GMEM_SIZE),
    R(NULL, "gmem ftruncate shrink", gmem_truncate, GMEM_SIZE / 2),
    R(NULL, "gmem ftruncate grow", gmem_truncate, GMEM_SIZE * 2),
    R(NULL, "gmem mmap SHARED", gmem_mmap, MAP_SHARED),
    R(NULL, "gmem mmap PRIVATE", gmem_mmap, MAP_PRIVATE),
    R(NULL, "fallocate(0) mode=0 [no KEEP_SIZE]", fallocate_gmem, 0, 0, 64 * KiB),
    R(NULL, "fallocate KEEP_SIZE 0..64K", fallocate_gmem, MODE_KEEP, 0, 64 * KiB),
    R(NULL, "fallocate KEEP_SIZE again", fallocate_gmem, MODE_KEEP, 0, 64 * KiB),
    R(NULL, "PUNCH without KEEP_SIZE", fallocate_gmem, FALLOC_FL_PUNCH_HOLE, 0, PS),
    R(NULL, "PUNCH|KEEP 4K@0", fallocate_gmem, MODE_PUNCH, 0, PS),
    R(NULL, "PUNCH|KEEP again same (hole)", fallocate_gmem, MODE_PUNCH, 0, PS),
    R(NULL, "PUNCH|KEEP off=1 len=4K", fallocate_gmem, MODE_PUNCH, 1, PS),
    R(NULL, "PUNCH|KEEP off=512 len=512", fallocate_gmem, MODE_PUNCH, 512, 512),
    R(NULL, "PUNCH|KEEP off=0 len=100", fallocate_gmem, MODE_PUNCH, 0, 100),
    R(NULL, "PUNCH|KEEP len=0", fallocate_gmem, MODE_PUNCH, 0, 0),
    R(NULL, "PUNCH|KEEP negative off", fallocate_gmem, MODE_PUNCH, -PS, PS),
    R(NULL, "PUNCH|KEEP off=size len=4K (beyond EOF)", fallocate_gmem, MODE_PUNCH, GMEM_SIZE,
      PS),
    R(NULL, "PUNCH|KEEP off=size-4K len=8K (crosses EOF)", fallocate_gmem, MODE_PUNCH,
      GMEM_SIZE - PS, 2 * PS),
    R(NULL, "fallocate KEEP off=size len=4K (beyond EOF)", fallocate_gmem, MODE_KEEP, GMEM_SIZE,
      PS),
    R(NULL, "fallocate KEEP off=1", fallocate_gmem, MODE_KEEP, 1, PS),
    R(NULL, "fallocate KEEP len=100", fallocate_gmem, MODE_KEEP, 0, 100),
    R(NULL, "PUNCH|KEEP whole file", fallocate_gmem, MODE_PUNCH, 0, GMEM_SIZE),
    R(NULL, "COLLAPSE", fallocate_gmem, FALLOC_FL_COLLAPSE_RANGE, 0, PS),
    R(NULL, "ZERO_RANGE", fallocate_gmem, FALLOC_FL_ZERO_RANGE, 0, PS),
    R(NULL, "attr private 4K@16M (no slot there)", attribute, 16 * MiB, PS, PRIVATE),
    R(NULL, "attr private again (idempotent)", attribute, 16 * MiB, PS, PRIVATE),
    R(NULL, "attr shared 4K@16M", attribute, 16 * MiB, PS, 0),
    R(NULL, "attr shared again", attribute, 16 * MiB, PS, 0),
    R(NULL, "attr private 2M@16M+4K unaligned to 2M", attribute, 16 * MiB + PS, 2 * MiB,
      PRIVATE),
    R(NULL, "attr shared 1G@0", attribute, 0, GiB, 0),
    R(NULL, "attr addr=+1", attribute, 16 * MiB + 1, PS, PRIVATE),
    R(NULL, "attr size=100", attribute, 16 * MiB, 100, PRIVATE),
    R(NULL, "attr size=0", attribute, 16 * MiB, 0, PRIVATE),
    R(NULL, "attr flags=1", attribute, 16 * MiB, PS, PRIVATE, 1),
    R(NULL, "attr READ (1<<0)", attribute, 16 * MiB, PS, ATTR_READ),
    R(NULL, "attr PRIVATE|1<<0", attribute, 16 * MiB, PS, PRIVATE | ATTR_READ),
    R(NULL, "attr 1<<4", attribute, 16 * MiB, PS, ATTR_NEXT),
    R(NULL, "attr wrap addr=-4096 size=8192", attribute, -PS, 2 * PS, 0),
    R(NULL, "attr addr=-4096 size=4096 (end wraps to 0)", attribute, -PS, PS, 0),
    R(NULL, "attr private addr=2^51", attribute, 1ull << 51, PS, PRIVATE),
    R(NULL, "attr private addr=2^60", attribute, 1ull << 60, PS, PRIVATE),
    R(NULL, "attr private 4G@0 big", attribute, 0, 4 * GiB, PRIVATE),
    R(NULL, "attr shared 4G@0 big", attribute, 0, 4 * GiB, 0),
    R(NULL, "slot1 gmem 1M gpa=64M off=0", slot, 1, 64 * MiB, MiB, 0, SLOT_GMEM,
      KVM_MEM_GUEST_MEMFD),
};

static const struct row kvm_def_start[] = {P(new_vm_world, KVM_X86_DEFAULT_VM)};
static const struct row kvm_sw_start[] = {P(new_vm_world, KVM_X86_SW_PROTECTED_VM)};

/* ---- rows: slots of a software-protected VM, after gmem_rows ---- */
#define GMEM_SLOT(name, id, gpa, size, offset)                                                 \
    R("kvm-sw", name, slot, id, gpa, size, offset, SLOT_GMEM, KVM_MEM_GUEST_MEMFD)

static const struct row slot_rows[] = {
    GMEM_SLOT("slot2 same gmem range, other gpa", 2, 128 * MiB, MiB, 0),
    GMEM_SLOT("slot2 gmem range half overlap off=512K", 2, 128 * MiB, MiB, 512 * KiB),
    GMEM_SLOT("slot2 overlapping gpa (64M+512K), other off", 2, 64 * MiB + 512 * KiB, MiB,
              2 * MiB),
    GMEM_SLOT("slot2 off=1M", 2, 128 * MiB, MiB, MiB),
    GMEM_SLOT("slot3 off unaligned (+1)", 3, 256 * MiB, MiB, 2 * MiB + 1),
    GMEM_SLOT("slot3 off+size > file", 3, 256 * MiB, MiB, GMEM_SIZE - PS),
    GMEM_SLOT("slot3 off+size wraps", 3, 256 * MiB, MiB, -PS),
    R("kvm-sw", "slot3 bad fd -1", slot, 3, 256 * MiB, MiB, 2 * MiB, SLOT_BAD_FD,
      KVM_MEM_GUEST_MEMFD),
    R("kvm-sw", "slot3 fd=/dev/null", slot, 3, 256 * MiB, MiB, 2 * MiB, SLOT_NULL,
      KVM_MEM_GUEST_MEMFD),
    R("kvm-sw", "slot3 gmem of other VM", slot, 3, 256 * MiB, MiB, 0, SLOT_OTHER_GMEM,
      KVM_MEM_GUEST_MEMFD),
    R("kvm-sw", "slot3 gmem|LOG_DIRTY", slot, 3, 256 * MiB, MiB, 2 * MiB, SLOT_GMEM, LOG_DIRTY),
    R("kvm-sw", "slot3 gmem|READONLY", slot, 3, 256 * MiB, MiB, 2 * MiB, SLOT_GMEM,
      GMEM_RDONLY),
    GMEM_SLOT("slot3 gpa unaligned", 3, 256 * MiB + 1, MiB, 2 * MiB),
    GMEM_SLOT("slot3 size unaligned", 3, 256 * MiB, MiB + 1, 2 * MiB),
    GMEM_SLOT("slot1 modify: set same again", 1, 64 * MiB, MiB, 0),
    GMEM_SLOT("slot1 modify: move gpa", 1, 96 * MiB, MiB, 0),
    R("kvm-sw", "slot1 modify: change flags to 0", slot, 1, 64 * MiB, MiB, 0, SLOT_GMEM, 0),
    R("kvm-sw", "ioctl KVM_SET_USER_MEMORY_REGION w/ GUEST_MEMFD flag", old_slot, 512 * MiB),
    GMEM_SLOT("slot1 delete (size 0, flag kept)", 1, 64 * MiB, 0, 0),
    GMEM_SLOT("slot1 delete again", 1, 64 * MiB, 0, 0),
    GMEM_SLOT("slot1 re-create after delete", 1, 64 * MiB, MiB, 0),
    R("kvm-sw", "PUNCH bound range", fallocate_gmem, MODE_PUNCH, 0, MiB),
    R("kvm-sw", "close gmem while bound", close_gmem),
    R("kvm-sw", "delete slot1 after gmem close", slot, 1, 64 * MiB, 0, 0, SLOT_BAD_FD,
      KVM_MEM_GUEST_MEMFD),
    R("kvm-sw", "delete slot2 after gmem close", slot, 2, 128 * MiB, 0, 0, SLOT_BAD_FD,
      KVM_MEM_GUEST_MEMFD),
};

/* ---- rows: a running vCPU ---- */
#define RUN_GPA    (64 * KiB)
#define NO_GMEM_AT 0x8000

static int64_t run_slot(struct bench *b, const struct row *row)
{
    struct kvm_userspace_memory_region r = {.memory_size = row->a[0],
                                            .userspace_addr = b->ram + MiB};
    b->gmem = create_gmem(b, b->vm, 64 * KiB, 0);
    return host_ioctl(&b->fx.h, b->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static int64_t create_vcpu(struct bench *b, const struct row *row)
{
    (void)row;
    return b->vcpu = host_ioctl(&b->fx.h, b->vm, KVM_CREATE_VCPU, NULL);
}

static int64_t map_run_page(struct bench *b, const struct row *row)
{
    (void)row;
    int size = host_ioctl(&b->fx.h, b->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
    assert_true(size >= (int)sizeof(struct kvm_run));
    uint64_t address = 0;
    int r = host_mmap(&b->fx.h, 0, (uint64_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, b->vcpu,
                      0, &address);
    b->run = (struct kvm_run *)(uintptr_t)address;
    return r;
}

/* a: attribute */
static int64_t convert(struct bench *b, const struct row *row)
{
    return set_attributes(b, row->a[1], PS, row->a[0], 0);
}

static int64_t enable_hypercall(struct bench *b, const struct row *row)
{
    struct kvm_enable_cap c = {.cap = KVM_CAP_EXIT_HYPERCALL,
                               .args = {1ull << KVM_HC_MAP_GPA_RANGE}};
    (void)row;
    return host_ioctl(&b->fx.h, b->vm, KVM_ENABLE_CAP, &c);
}

/* a: token to store first; 0: only load. Says what the guest has in its register, and, after a
 * store, what the process sees at the shared address. */
static int64_t note_guest(struct bench *b, const struct row *row)
{
    uint64_t token = 0;
    uint32_t frame = 0;
    int r = row->a[0] ? sim_guest_write(b->fx.w, RUN_GPA, row->a[0]) : 0;
    r = r ? r : sim_guest_read(b->fx.w, RUN_GPA, &token);
    r = r ? r : mm_fault(b->fx.w, b->ram, false, &frame);
    if (r)
        return r;
    snprintf(b->note, sizeof(b->note), row->a[0] ? "eax=%llx %llx" : "eax=%llx",
             (unsigned long long)token,
             (unsigned long long)frame_at(&b->fx.w->frames, frame)->content);
    return 0;
}

/* a: gpa, private. Lets the vCPU touch the page and says how KVM_RUN ended. */
static int64_t note_run(struct bench *b, const struct row *row)
{
    sim_guest_request(b->fx.w, 0, SIM_REQUEST_ACCESS, row->a[0], 1, row->a[1]);
    int r = host_ioctl(&b->fx.h, b->vcpu, KVM_RUN, NULL);
    int n = snprintf(b->note, sizeof(b->note), "rc=%d %s exit_reason=%u", r < 0 ? -1 : r,
                     r < 0 ? strerrorname_np(-r) : "OK", b->run->exit_reason);
    if (b->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
        snprintf(b->note + n, sizeof(b->note) - (size_t)n, " gpa=%llx size=%llx flags=%llx",
                 (unsigned long long)b->run->memory_fault.gpa,
                 (unsigned long long)b->run->memory_fault.size,
                 (unsigned long long)b->run->memory_fault.flags);
    return 0;
}

/* The shared side of slot 0 goes. */
static int64_t unmap_code(struct bench *b, const struct row *row)
{
    (void)row;
    return host_munmap(&b->fx.h, b->ram + MiB, 64 * KiB);
}

static const struct row run_rows[] = {
    P(new_kvm_world),
    P(open_kvm),
    F("kvm-run", "create VM for vcpu", vm_of_type, KVM_X86_SW_PROTECTED_VM),
    R("kvm-run", "slot0 code 64K@0", run_slot, 64 * KiB),
    R("kvm-run", "slot1 gmem 64K@64K", slot, 1, RUN_GPA, 64 * KiB, 0, SLOT_GMEM,
      KVM_MEM_GUEST_MEMFD),
    F("kvm-run", "create vcpu", create_vcpu),
    P(map_run_page),
    N("kvm-run", "shared: guest writes:", note_guest, 0x11223344),
    R("kvm-run", "-> private", convert, PRIVATE, RUN_GPA),
    N("kvm-run", "private: guest reads (want 0, fresh gmem):", note_guest),
    N("kvm-run", "private: guest writes 55667788:", note_guest, 0x55667788),
    N("kvm-run", "private: guest reads back:", note_guest),
    R("kvm-run", "-> shared (no punch)", convert, 0, RUN_GPA),
    N("kvm-run", "shared: guest reads old shared content:", note_guest),
    R("kvm-run", "-> private again (no punch)", convert, PRIVATE, RUN_GPA),
    N("kvm-run", "private: guest reads stale private content:", note_guest),
    R("kvm-run", "PUNCH while private", fallocate_gmem, MODE_PUNCH, 0, 64 * KiB),
    N("kvm-run", "private after PUNCH: guest reads (want 0):", note_guest),
    R("kvm-run", "slot0 page private without gmem @0x8000", convert, PRIVATE, NO_GMEM_AT),
    N("kvm-run", "guest reads private gpa of slot without gmem: KVM_RUN", note_run, NO_GMEM_AT,
      true),
    P(unmap_code),
    N("kvm-run", "shared, hva unmapped: KVM_RUN", note_run, PS, false),
    R("kvm-run", "enable CAP_EXIT_HYPERCALL MAP_GPA_RANGE", enable_hypercall),
    P(close_gmem),
    N("kvm-run", "private after close(gmem): KVM_RUN", note_run, RUN_GPA, true),
};

#endif
