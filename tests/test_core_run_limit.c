/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry limit with mapping=run, asked before anything is changed: D9, D10. */
#include "tests/core_run_fixture.h"

static int remap(void **state)
{
    return run_start(state, VMM_ORDER_ATTRIBUTE_FIRST, VMM_SPLIT_REMAP, 0);
}

/* ROM and plain RAM take two of them. */
enum { LIMIT = 5 };

static int limited(void **state)
{
    return run_start(state, VMM_ORDER_ATTRIBUTE_FIRST, VMM_SPLIT_REMAP, LIMIT);
}

static void limit_is_asked_before(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 2, false), 0);
    assert_int_equal(convert(f, 4, 2, false), 0);
    assert_int_equal(convert(f, 8, 2, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 12, 2, false), -ENOSPC); /* a sixth */
    assert_int_equal(convert(f, 9, 1, true), 0);         /* as many as before */
    assert_int_equal(convert(f, 9, 1, false), -ENOSPC);
    assert_int_equal(convert(f, 0, 2, true), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 12, 20, false), 0); /* D7: it was given back */
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 14, 2, true), -ENOSPC); /* one would become two */
    expect_trace(f, "");
    expect_mapped(f, 0, 64, "4+2 8+1 12+20");
}

/* D9: a region's size is no reason to refuse; D10: what does not fit leaves nothing. */
static void limit_of_an_attach(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 2, false), 0);
    assert_int_equal(convert(f, 4, 2, false), 0);
    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
    assert_int_equal(convert(f, 60, 8, false), 0); /* two more: six in all */
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_device_attach(f->vmm, 0, 0), -ENOSPC);
    expect_trace(f, "");
    assert_null(fixture_broken(f, false));
    assert_int_equal(convert(f, 4, 2, true), 0);
    assert_int_equal(vmm_device_attach(f->vmm, 0, 0), 0);
    expect_mapped(f, 0, 176, "0+2 60+4 64+4 136+8 152+8");
}

static void limit_of_a_listener(void **state)
{
    struct fixture *f = *state;

    f->stub.map_limit = 100;
    for (uint64_t page = 0; page < 6; page += 2)
        assert_int_equal(convert(f, page, 1, false), 0);
    f->stub.map_limit = f->stub.n_maps + 2; /* what the second container gets to know */
    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 0, 8 * STUB_PAGE), -ENOSPC);
    expect_trace(f, "");
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 0, 4 * STUB_PAGE), 0);
    expect_trace(f, "map 0+1; map 2+1; ");
    assert_int_equal(vmm_device_detach(f->vmm, 1), 0);
}

/* An undo needs no more entries than there were, and there is not one to spare. */
static void undo_at_the_limit(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 4, false), 0);
    assert_int_equal(convert(f, 4, 4, false), 0);
    assert_int_equal(convert(f, 60, 2, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_MAP, 2, ENOMEM, false);
    assert_int_equal(convert(f, 2, 4, true), -ENOMEM);
    stub_fail_none(&f->stub);
    expect_trace(f, "private 2+4; unmap 0+8; map 0+2; map 6+2 fails; unmap 0+4; map 0+4; "
                    "map 4+4; shared 2+4; ");
    expect_mapped(f, 0, 64, "0+4 4+4 60+2");
    assert_int_equal(convert(f, 2, 4, true), 0);
    assert_int_equal(convert(f, 32, 2, false), -ENOSPC);
}

/* The kernel's own answer counts too: the limit was another one than it had said. */
static void kernel_says_no_all_the_same(void **state)
{
    struct fixture *f = *state;

    f->stub.map_limit = f->stub.n_maps + 1;
    assert_int_equal(convert(f, 62, 4, false), -ENOSPC);
    expect_trace(f, "shared 62+4; map 62+2; map 64+2; unmap 62+2; private 62+2; private 64+2; "
                    "drop shared 62+2; drop shared 0+2; ");
}

#define CASE(name, test, setup)                                                                \
    {                                                                                          \
        "core/run-limit/" name, test, setup, run_finish, NULL                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("first", limit_is_asked_before, limited),
        CASE("attach", limit_of_an_attach, limited),
        CASE("listen", limit_of_a_listener, limited),
        CASE("undo", undo_at_the_limit, limited),
        CASE("kernel", kernel_says_no_all_the_same, remap),
    };

    return cmocka_run_group_tests_name("core/run-limit", tests, NULL, NULL);
}
