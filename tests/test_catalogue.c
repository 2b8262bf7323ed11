/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/catalogue.md says of each report where it is: that must be so. Runs from the top of the
 * tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>
#include <unistd.h>

enum { ROWS_MAX = 200 };

struct row {
    char id[8];
    bool seeded;
    char where[400];
};

static struct row rows[ROWS_MAX];
static uint32_t n_rows;

/* "| A1 | what | yes | where |" */
static void take_line(const char *line)
{
    const char *where = strrchr(line, '|');

    if (line[0] != '|' || sscanf(line, "| %7[A-Z0-9] |", rows[n_rows].id) != 1 ||
        rows[n_rows].id[1] < '0' || rows[n_rows].id[1] > '9')
        return;
    while (where > line && where[-1] != '|')
        where--;
    assert_true(n_rows < ROWS_MAX - 1);
    rows[n_rows].seeded = where - line > 7 && strncmp(where - 7, "| yes |", 7) == 0;
    assert_int_equal(sscanf(where, " %399[^|]", rows[n_rows].where), 1);
    rows[n_rows].where[strcspn(rows[n_rows].where, "\n")] = '\0';
    for (size_t n = strlen(rows[n_rows].where); n && rows[n_rows].where[n - 1] == ' '; n--)
        rows[n_rows].where[n - 1] = '\0';
    n_rows++;
}

static int setup(void **state)
{
    FILE *f = fopen("docs/catalogue.md", "re");
    char line[2000];

    (void)state;
    if (!f)
        return -1;
    while (fgets(line, sizeof(line), f))
        take_line(line);
    return fclose(f);
}

static const struct row *row_of(const char *id)
{
    for (uint32_t i = 0; i < n_rows; i++)
        if (strcmp(rows[i].id, id) == 0)
            return &rows[i];
    return NULL;
}

static bool is_scenario(const struct row *row)
{
    return row && strcmp(row->where, "scenario") == 0;
}

static uint32_t files_of(const char *id)
{
    char pattern[64];
    glob_t found;
    uint32_t n;

    snprintf(pattern, sizeof(pattern), "scenarios/%s-*.scn", id);
    n = glob(pattern, 0, NULL, &found) == 0 ? (uint32_t)found.gl_pathc : 0;
    globfree(&found);
    return n;
}

/* scenarios/bugs/E14.patch and E14-order.patch are both of E14. */
static bool has_patch(const char *id)
{
    char pattern[64];
    glob_t found;
    bool any;

    if (snprintf(pattern, sizeof(pattern), "scenarios/bugs/%s[.-]*", id) >=
        (int)sizeof(pattern))
        return false;
    any = glob(pattern, 0, NULL, &found) == 0;
    globfree(&found);
    return any;
}

/* ---- deliberate error ---- */
static void what_is_not_there_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(files_of("Z9"), 0);
    assert_null(row_of("Z9"));
    assert_false(is_scenario(row_of("D15")));
    assert_true(is_scenario(row_of("A1")));
    assert_false(row_of("D15")->seeded);
    assert_false(has_patch("Z9"));
    assert_true(n_rows > 60);
}

static void ids_stand_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < n_rows; i++)
        if (row_of(rows[i].id) != &rows[i])
            fail_msg("docs/catalogue.md has %s twice", rows[i].id);
}

static void every_scenario_has_its_row(void **state)
{
    glob_t found;

    (void)state;
    assert_int_equal(glob("scenarios/*.scn", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char id[8] = "";

        if (sscanf(found.gl_pathv[i], "scenarios/%7[A-Z0-9]-", id) != 1 ||
            !is_scenario(row_of(id)))
            fail_msg("docs/catalogue.md does not say that %s is a scenario: %s", id,
                     found.gl_pathv[i]);
    }
    globfree(&found);
}

static void every_row_has_its_scenario(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < n_rows; i++)
        if (is_scenario(&rows[i]) && files_of(rows[i].id) != 1)
            fail_msg("docs/catalogue.md: scenarios/ has %u of %s", files_of(rows[i].id),
                     rows[i].id);
}

static void what_is_seeded_is_said(void **state)
{
    uint32_t n = 0;

    (void)state;
    for (uint32_t i = 0; i < n_rows; i++) {
        if (rows[i].seeded != has_patch(rows[i].id))
            fail_msg("docs/catalogue.md, %s: there is %s patch of it", rows[i].id,
                     rows[i].seeded ? "no" : "a");
        n += rows[i].seeded;
    }
    assert_true(n >= 40);
}

static void every_patch_has_its_row(void **state)
{
    glob_t found;

    (void)state;
    assert_int_equal(glob("scenarios/bugs/*.patch", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char id[8] = "";

        if (sscanf(found.gl_pathv[i], "scenarios/bugs/%7[A-Z0-9]", id) != 1 || !row_of(id))
            fail_msg("docs/catalogue.md does not have %s", found.gl_pathv[i]);
    }
    globfree(&found);
}

/* Every page and file that a row names. */
static void what_is_named_exists(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < n_rows; i++) {
        char name[200];

        for (const char *at = rows[i].where; (at = strchr(at, '`')); at += strlen(name) + 2)
            if (sscanf(at, "`%199[^`]`", name) != 1)
                fail_msg("docs/catalogue.md, %s: a stray `", rows[i].id);
            else if (strchr(name, '/') && access(name, R_OK))
                fail_msg("docs/catalogue.md, %s: no %s", rows[i].id, name);
        if (sscanf(rows[i].where, "in %7[A-Z0-9]", name) == 1 && !is_scenario(row_of(name)))
            fail_msg("docs/catalogue.md, %s: %s is no scenario", rows[i].id, name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"catalogue/what-is-not-there", what_is_not_there_is_noticed, NULL, NULL, NULL},
        {"catalogue/ids-stand-once", ids_stand_once, NULL, NULL, NULL},
        {"catalogue/every-scenario-has-its-row", every_scenario_has_its_row, NULL, NULL, NULL},
        {"catalogue/every-row-has-its-scenario", every_row_has_its_scenario, NULL, NULL, NULL},
        {"catalogue/what-is-seeded-is-said", what_is_seeded_is_said, NULL, NULL, NULL},
        {"catalogue/every-patch-has-its-row", every_patch_has_its_row, NULL, NULL, NULL},
        {"catalogue/what-is-named-exists", what_is_named_exists, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("catalogue", tests, setup, NULL);
}
