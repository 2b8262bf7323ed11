/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/uapi.h against the installed kernel headers, where those know the name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/uapi_list.h"

static const struct uapi_value *find(const struct uapi_value *list, const char *name)
{
    while (list->name && strcmp(list->name, name))
        list++;
    return list->name ? list : NULL;
}

/* How many names have different values, the last of them in words; how many could be compared.
 */
static unsigned differences(const struct uapi_value *a, const struct uapi_value *b,
                            unsigned *compared, char *last, size_t size)
{
    unsigned n = 0;

    last[0] = 0;

    *compared = 0;
    for (; a->name; a++) {
        const struct uapi_value *other = find(b, a->name);

        assert_non_null(other);
        if (other->value == UAPI_UNKNOWN)
            continue;
        (*compared)++;
        if (a->value != other->value) {
            (void)snprintf(last, size, "%s: %llx, but %llx", a->name, a->value, other->value);
            n++;
        }
    }
    return n;
}

static void deliberate_error(void **state)
{
    static const struct uapi_value right[] = {{"x", 1}, {"y", 2}, {NULL, 0}};
    static const struct uapi_value wrong[] = {{"x", 1}, {"y", 3}, {NULL, 0}};
    unsigned compared;
    char last[80];

    (void)state;
    assert_int_equal(differences(right, wrong, &compared, last, sizeof(last)), 1);
    assert_string_equal(last, "y: 2, but 3");
    assert_int_equal(compared, 2);
}

static void same_as_installed(void **state)
{
    unsigned compared;
    char last[80];

    (void)state;
    if (differences(uapi_ours, uapi_linux, &compared, last, sizeof(last)))
        fail_msg("%s", last);
    assert_true(compared > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/uapi/deliberate-error", deliberate_error, NULL, NULL, NULL},
        {"core/uapi/same-as-installed", same_as_installed, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/uapi", tests, NULL, NULL);
}
