/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock kernel against the answers of a real one (tests/data/linux-6.12.117.answers). What
 * is expected stands in that file only; here are the questions. Each case of the file has a row
 * or is listed as not yet asked; each row has its case in the file.
 */
#include <ctype.h>

#include "answers_pfail.h"

#define ANSWERS_FILE "tests/data/linux-6.12.117.answers"

/* ---- what nobody asks yet, and why; "*": every case that begins so ---- */
struct not_yet {
    const char *group, *name, *why;
};

static const struct not_yet not_yet[] = {
    {"iofd-mock", "*", "the kernel's own mock IOMMU, which only its selftests have"},
};

static bool name_matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '*')
        return strncmp(pattern, name, n - 1) == 0;
    return strcmp(pattern, name) == 0;
}

static const struct not_yet *find_not_yet(const struct answer *a)
{
    for (size_t i = 0; i < sizeof(not_yet) / sizeof(not_yet[0]); i++)
        if (strcmp(not_yet[i].group, a->group) == 0 && name_matches(not_yet[i].name, a->name))
            return &not_yet[i];
    return NULL;
}

/* ---- reading the file ---- */
static void copy_trimmed(char *to, size_t size, const char *from, size_t n)
{
    while (n && isspace((unsigned char)*from))
        from++, n--;
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    n = n < size ? n : size - 1;
    memcpy(to, from, n);
    to[n] = '\0';
}

/* "R group case = result ERRNO": the last " = number WORD" of the line counts. */
static bool parse_case(struct answer *a, const char *text)
{
    const char *equals = NULL;
    int end = 0;
    for (const char *p = strstr(text, " = "); p; p = strstr(p + 1, " = ")) {
        long long result;
        if (sscanf(p, " = %lld %15[A-Z0-9]%n", &result, a->error, &end) == 2) {
            equals = p;
            a->result = result;
        }
    }
    if (!equals || (a->result < 0) == (strcmp(a->error, "OK") == 0))
        return false;
    copy_trimmed(a->name, sizeof(a->name), text, (size_t)(equals - text));
    return a->name[0] != '\0';
}

static bool parse_line(struct answers *all, const char *line, size_t n, unsigned number)
{
    char text[ANSWER_NAME_MAX * 2];
    struct answer *a = &all->list[all->n];
    copy_trimmed(text, sizeof(text), line, n);
    if (!text[0] || text[0] == '#')
        return true;
    if (all->n == ANSWERS_MAX || (text[0] != 'R' && text[0] != 'N') || text[1] != ' ')
        return false;
    size_t group = strcspn(text + 2, " ");
    *a = (struct answer){.kind = text[0], .line = number};
    copy_trimmed(a->group, sizeof(a->group), text + 2, group);
    const char *rest = text + 2 + group;
    if (a->kind == 'N')
        copy_trimmed(a->name, sizeof(a->name), rest, strlen(rest));
    else if (!parse_case(a, rest))
        return false;
    all->n++;
    return true;
}

/* False, and all->problem says why, unless the whole file was read and makes sense. */
static bool parse_answers(struct answers *all, const char *text)
{
    unsigned number = 0;
    memset(all, 0, sizeof(*all));
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        if (!parse_line(all, p, n, ++number)) {
            snprintf(all->problem, sizeof(all->problem), "line %u is no answer", number);
            return false;
        }
        p += n + (p[n] == '\n');
    }
    if (!all->n || strcmp(all->list[all->n - 1].group, "DONE") != 0) {
        snprintf(all->problem, sizeof(all->problem), "cut short: no DONE after line %u",
                 number);
        return false;
    }
    return true;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    char *text = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;
    if (text) {
        rewind(f);
        if (fread(text, 1, (size_t)size, f) != (size_t)size)
            text[0] = '\0';
    }
    if (f)
        fclose(f);
    if (!text)
        fail_msg("%s: cannot be read (tests run from the top of the tree)", path);
    return text;
}

/* ---- asking and comparing ---- */
struct tally {
    unsigned cases, notes, differences;
    bool print;      /* each of them */
    char first[320]; /* the first difference, in words */
};

static void differ(struct tally *t, const char *what, const struct row *row, const char *group,
                   const char *expected, const char *got)
{
    char text[sizeof(t->first)];
    snprintf(text, sizeof(text), "%s: %s \"%s\": real kernel: %s; mock: %s", what, group,
             row->name, expected, got);
    if (t->print)
        print_message("%s\n", text);
    if (!t->differences++)
        memcpy(t->first, text, sizeof(text));
}

/* The next unused answer of that group with that name (or beginning, for a note). */
static struct answer *find_answer(struct answers *all, const struct row *row, const char *group)
{
    for (unsigned i = 0; i < all->n; i++) {
        struct answer *a = &all->list[i];
        if (a->used || strcmp(a->group, group) != 0)
            continue;
        if (row->kind == ROW_NOTE
                ? a->kind == 'N' && strncmp(a->name, row->name, strlen(row->name)) == 0
                : a->kind == 'R' && strcmp(a->name, row->name) == 0)
            return a;
    }
    return NULL;
}

static void compare_case(struct tally *t, const struct row *row, const struct answer *a,
                         int64_t got)
{
    char expected_text[48], got_text[48];
    const char *error = got < 0 ? strerrorname_np((int)-got) : "OK";
    bool same = strcmp(error ? error : "?", a->error) == 0;
    if (same && got >= 0 && row->kind == ROW_VALUE)
        same = got == a->result;
    t->cases++;
    if (same)
        return;
    snprintf(expected_text, sizeof(expected_text), "%lld %s", (long long)a->result, a->error);
    snprintf(got_text, sizeof(got_text), "%lld %s", (long long)got, error ? error : "?");
    differ(t, "differs", row, a->group, expected_text, got_text);
}

static bool has_word(const char *text, const char *word, size_t n)
{
    for (const char *p = text; *p;) {
        p += strspn(p, " ,;");
        size_t length = strcspn(p, " ,;");
        if (length == n && strncmp(p, word, n) == 0)
            return true;
        p += length;
    }
    return false;
}

static void compare_note(struct tally *t, const struct row *row, const struct answer *a,
                         const char *note, int64_t got)
{
    const char *rest = a->name + strlen(row->name);
    char text[48];
    t->notes++;
    if (got < 0 || !note[0]) {
        snprintf(text, sizeof(text), "nothing to say (%lld)", (long long)got);
        differ(t, "differs", row, a->group, rest, text);
        return;
    }
    for (const char *p = note; *p;) {
        size_t n = strcspn(p, " ");
        if (!has_word(rest, p, n)) {
            differ(t, "differs", row, a->group, rest, note);
            return;
        }
        p += n + strspn(p + n, " ");
    }
}

static void ask(struct bench *b, struct answers *all, const struct row *rows, size_t n,
                const char *group, struct tally *t)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        const char *row_group = row->group ? row->group : group;
        b->note[0] = '\0';
        int64_t r = row->fn(b, row);
        if (row->kind == ROW_PREPARE) {
            if (r < 0)
                fail_msg("preparing: %s (row %zu): %s", row->name, i, strerrorname_np((int)-r));
            continue;
        }
        struct answer *a = find_answer(all, row, row_group);
        if (!a) {
            differ(t, "no such case in the file", row, row_group, "-", "-");
            continue;
        }
        a->used = true;
        if (row->kind == ROW_NOTE)
            compare_note(t, row, a, b->note, r);
        else
            compare_case(t, row, a, r);
    }
}

static struct bench bench;

#define ASK(rows, group) ask(&bench, all, rows, N_ROWS(rows), group, t)

/* The full arena of the last table is the last thing that a process should have: making it
 * poisonous again is dear under ASan. */
static void ask_all(struct answers *all, struct tally *t)
{
    ASK(kvm_rows, NULL);
    ASK(kvm_def_start, NULL);
    ASK(gmem_rows, "kvm-def");
    ASK(kvm_sw_start, NULL);
    ASK(gmem_rows, "kvm-sw");
    ASK(slot_rows, NULL);
    ASK(run_rows, NULL);
    ASK(vfio_rows, NULL);
    ASK(edu_rows, "edu-t1");
    ASK(vfio_limit_rows, NULL);
    ASK(combo_rows, NULL);
    ASK(iofd_start_rows, NULL);
    ASK(iofd_rows, "iofd");
    ASK(iofd_vc_rows, NULL);
    ASK(iofd_dev_start_rows, NULL);
    ASK(iofd_rows, "iofd-dev");
    ASK(iofd_device_rows, NULL);
    ASK(edu_rows, "edu-ifd");
    ASK(iofd_end_rows, NULL);
    ASK(pfail_rows, NULL);
}

/* ---- the tests ---- */
static struct answers answers;

static char *load(void)
{
    return read_file(ANSWERS_FILE);
}

/* One answer is made wrong: exactly that must be reported. */
static void test_wrong_answer_is_reported(void **state)
{
    (void)state;
    char *text = load(), *line = strstr(text, "R vfio     MAP same again");
    struct tally t = {0};
    assert_non_null(line);
    char *error = strstr(line, "EEXIST");
    assert_non_null(error);
    memcpy(error, "EINVAL", strlen("EINVAL"));
    assert_true(parse_answers(&answers, text));
    ask(&bench, &answers, vfio_rows, N_ROWS(vfio_rows), NULL, &t);
    free(text);
    assert_int_equal(t.differences, 1);
    assert_non_null(strstr(t.first, "vfio \"MAP same again\""));
    assert_non_null(strstr(t.first, "-1 EINVAL"));
    assert_non_null(strstr(t.first, "EEXIST"));
}

static void test_wrong_note_is_reported(void **state)
{
    (void)state;
    char *text = load(), *line = strstr(text, "gpa=8000 size=1000 flags=8");
    struct tally t = {0};
    assert_non_null(line);
    line[strlen("gpa=")] = '9';
    assert_true(parse_answers(&answers, text));
    ask(&bench, &answers, run_rows, N_ROWS(run_rows), NULL, &t);
    free(text);
    assert_int_equal(t.differences, 1);
    assert_non_null(strstr(t.first, "slot without gmem"));
}

/* A row that the file does not know, and a case that no row and no list knows. */
static void test_missing_case_is_reported(void **state)
{
    (void)state;
    char *text = load(), *line = strstr(text, "R vfio     MAP 2M ");
    struct tally t = {0};
    assert_non_null(line);
    memcpy(line, "R vfio     MAP 3M ", strlen("R vfio     MAP 3M "));
    assert_true(parse_answers(&answers, text));
    ask(&bench, &answers, vfio_rows, N_ROWS(vfio_rows), NULL, &t);
    ask(&bench, &answers, vfio_limit_rows, N_ROWS(vfio_limit_rows), NULL, &t);
    free(text);
    assert_int_equal(t.differences, 1);
    assert_non_null(strstr(t.first, "no such case in the file"));
    unsigned unknown = 0;
    for (unsigned i = 0; i < answers.n; i++)
        unknown += answers.list[i].kind == 'R' && !answers.list[i].used &&
                   strcmp(answers.list[i].group, "vfio") == 0 &&
                   !find_not_yet(&answers.list[i]);
    assert_int_equal(unknown, 1);
}

static void test_bad_files(void **state)
{
    (void)state;
    char *text = load();
    assert_false(parse_answers(&answers, ""));
    assert_non_null(strstr(answers.problem, "cut short"));
    assert_false(parse_answers(&answers, "R vfio MAP 4K = 0 OK\nhello\n"));
    assert_non_null(strstr(answers.problem, "line 2"));
    assert_false(parse_answers(&answers, "R vfio MAP 4K = -1 OK\nN DONE\n"));
    assert_false(parse_answers(&answers, "R vfio MAP 4K\nN DONE\n"));
    assert_false(parse_answers(&answers, "R vfio = 0 OK\nN DONE\n"));
    text[strlen(text) / 2] = '\0';
    assert_false(parse_answers(&answers, text));
    assert_true(answers.problem[0] != '\0');
    free(text);
}

/* Every case that is listed as not yet asked is still in the file. */
static void test_not_yet_is_current(void **state)
{
    (void)state;
    char *text = load();
    assert_true(parse_answers(&answers, text));
    free(text);
    for (size_t i = 0; i < sizeof(not_yet) / sizeof(not_yet[0]); i++) {
        unsigned n = 0;
        for (unsigned k = 0; k < answers.n; k++)
            n += answers.list[k].kind == 'R' && find_not_yet(&answers.list[k]) == &not_yet[i];
        if (!n)
            fail_msg("not yet asked, but not in the file: %s \"%s\"", not_yet[i].group,
                     not_yet[i].name);
    }
}

static void report(const struct tally *t)
{
    unsigned counts[sizeof(not_yet) / sizeof(not_yet[0])] = {0}, later = 0, notes = 0;
    for (unsigned i = 0; i < answers.n; i++) {
        const struct answer *a = &answers.list[i];
        const struct not_yet *why = a->used ? NULL : find_not_yet(a);
        if (a->kind == 'N')
            notes++;
        else if (why)
            counts[why - not_yet]++, later++;
        else if (!a->used)
            fail_msg("line %u: %s \"%s\": no row asks this", a->line, a->group, a->name);
    }
    print_message("answers: %u cases covered, %u not yet; %u of %u notes compared\n", t->cases,
                  later, t->notes, notes);
    for (size_t i = 0; i < sizeof(not_yet) / sizeof(not_yet[0]); i++)
        print_message("  not yet: %3u %s \"%s\": %s\n", counts[i], not_yet[i].group,
                      not_yet[i].name, not_yet[i].why);
}

static void test_mock_answers_as_linux(void **state)
{
    (void)state;
    char *text = load();
    struct tally t = {.print = true};
    if (!parse_answers(&answers, text))
        fail_msg("%s: %s", ANSWERS_FILE, answers.problem);
    free(text);
    ask_all(&answers, &t);
    if (t.differences)
        fail_msg("%u differences, the first: %s", t.differences, t.first);
    report(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"answers/wrong-answer-is-reported", test_wrong_answer_is_reported, NULL, NULL, NULL},
        {"answers/wrong-note-is-reported", test_wrong_note_is_reported, NULL, NULL, NULL},
        {"answers/missing-case-is-reported", test_missing_case_is_reported, NULL, NULL, NULL},
        {"answers/bad-files", test_bad_files, NULL, NULL, NULL},
        {"answers/not-yet-is-current", test_not_yet_is_current, NULL, NULL, NULL},
        {"answers/mock-answers-as-linux", test_mock_answers_as_linux, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
