/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/explore.h"
#include "run/explore_alphabet.h"
#include "run/report.h"

static const char help[] =
    "usage: gmemcheck explore [FILE] [OPTION...]\n\n"
    "All states that a small machine can come to, by sequences of any length of the ops of an\n"
    "alphabet, with faults in each op. FILE: a scenario whose machine and ops are used; what\n"
    "it expects and its faults are dropped.\n\n"
    "  --pages N        guest pages, in one region (default 4)\n"
    "  --containers N   each with a device (default 1)\n"
    "  --alphabet LIST  of convert,attach,detach,touch,dma,plug,source,hotplug,reset,migrate\n"
    "                   (default convert,attach,detach)\n"
    "  --faults 0|1|2   at most so many in each op: every call, every errno, before and after\n"
    "                   its effect (default 1)\n"
    "  --set AXIS=VALUE another machine; see gmemcheck config\n"
    "  --states N       how many states there may be at most (default 4000000)\n"
    "  --jobs N         worker processes (default 1)\n"
    "  --checkpoint F   save there now and then, and when interrupted; go on from there\n"
    "  --no-shrink      save what is found as it is\n"
    "  --results DIR    where a failing program is saved (default results)\n"
    "  --json           the last line as a JSON object\n";

struct arguments {
    struct generate_options fixed;
    struct file_list files;
    uint64_t pages, containers, faults, states, jobs;
    uint32_t groups;
    const char *results, *checkpoint;
    char sets[1024];
    bool json, no_shrink;
};

enum {
    OPTION_PAGES = 256,
    OPTION_CONTAINERS,
    OPTION_ALPHABET,
    OPTION_FAULTS,
    OPTION_SET,
    OPTION_STATES,
    OPTION_JOBS,
    OPTION_CHECKPOINT,
    OPTION_NO_SHRINK,
    OPTION_RESULTS,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option options[] = {{"pages", 1, NULL, OPTION_PAGES},
                                        {"containers", 1, NULL, OPTION_CONTAINERS},
                                        {"alphabet", 1, NULL, OPTION_ALPHABET},
                                        {"faults", 1, NULL, OPTION_FAULTS},
                                        {"set", 1, NULL, OPTION_SET},
                                        {"states", 1, NULL, OPTION_STATES},
                                        {"jobs", 1, NULL, OPTION_JOBS},
                                        {"checkpoint", 1, NULL, OPTION_CHECKPOINT},
                                        {"no-shrink", 0, NULL, OPTION_NO_SHRINK},
                                        {"results", 1, NULL, OPTION_RESULTS},
                                        {"json", 0, NULL, OPTION_JSON},
                                        {"help", 0, NULL, OPTION_HELP},
                                        {NULL, 0, NULL, 0}};

static bool take_alphabet(struct arguments *a, const char *list)
{
    a->groups = alphabet_groups(list);
    if (!a->groups)
        cli_usage_error("explore",
                        "--alphabet takes convert, attach, ... with commas, not '%s'", list);
    return a->groups;
}

static bool take_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case OPTION_PAGES:
        return cli_number("explore", "--pages", optarg, 1, ALPHABET_PAGES_MAX, &a->pages);
    case OPTION_CONTAINERS:
        return cli_number("explore", "--containers", optarg, 0, PROGRAM_CONTAINERS_MAX,
                          &a->containers);
    case OPTION_ALPHABET:
        return take_alphabet(a, optarg);
    case OPTION_FAULTS:
        return cli_number("explore", "--faults", optarg, 0, EXPLORE_FAULTS_MAX, &a->faults);
    case OPTION_SET:
        return cli_set_axis("explore", &a->fixed, optarg) &&
               cli_remember_set("explore", a->sets, sizeof(a->sets), optarg);
    case OPTION_STATES:
        return cli_number("explore", "--states", optarg, 1, 1000000000, &a->states);
    case OPTION_JOBS:
        return cli_number("explore", "--jobs", optarg, 1, POOL_JOBS_MAX, &a->jobs);
    case OPTION_CHECKPOINT:
        a->checkpoint = optarg;
        return true;
    case OPTION_NO_SHRINK:
        return a->no_shrink = true;
    case OPTION_RESULTS:
        a->results = optarg;
        return true;
    case OPTION_JSON:
        return a->json = true;
    default:
        cli_bad_option("explore", argv, option);
        return false;
    }
}

static bool parse(struct arguments *a, int argc, char **argv, int *code)
{
    int option;

    *a = (struct arguments){.pages = 4,
                            .containers = 1,
                            .groups = ALPHABET_DEFAULT,
                            .faults = 1,
                            .states = 4000000,
                            .jobs = 1,
                            .results = "results"};
    file_list_init(&a->files);
    generate_defaults(&a->fixed);
    *code = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        }
        if (!take_option(a, option, argv))
            return false;
    }
    if (optind + 1 < argc) {
        cli_usage_error("explore", "one file at most, then '%s'", argv[optind + 1]);
        return false;
    }
    a->files.fixed = &a->fixed;
    return optind == argc || cli_take_paths("explore", &a->files, argc, argv);
}

static bool load(const struct arguments *a, struct program *alphabet)
{
    struct text_error problem = {0};
    struct program file;
    char why[200];
    int error;

    if (a->files.n == 0) {
        error = alphabet_build(alphabet, (uint32_t)a->pages, (uint32_t)a->containers, a->groups,
                               &a->fixed, why, sizeof(why));
        if (error)
            cli_usage_error("explore", "%s", why);
        return !error;
    }
    program_init(&file);
    error = file_load(&a->files, 0, &file, &problem);
    if (error)
        cli_bad_scenario("explore", a->files.paths[0], problem.line, problem.why);
    else if (alphabet_of(&file, alphabet))
        error = -1;
    program_free(&file);
    return !error;
}

/* The same once more. */
static void explore_again(const struct arguments *a, char *buf, size_t size)
{
    int n = snprintf(buf, size, "%.150s explore --faults %llu%s", cli_program(),
                     (unsigned long long)a->faults, a->sets);

    if (a->files.n > 0)
        n += snprintf(buf + n, size - (size_t)n, " %s", a->files.paths[0]);
    else
        n += snprintf(buf + n, size - (size_t)n, " --pages %llu --containers %llu --alphabet",
                      (unsigned long long)a->pages, (unsigned long long)a->containers);
    for (uint32_t i = 0, some = 0; a->files.n == 0 && i < ALPHABET_COUNT; i++)
        if (a->groups & 1u << i)
            n += snprintf(buf + n, size - (size_t)n, "%c%s", some++ ? ',' : ' ',
                          alphabet_name(i));
}

static void show_finding(const struct arguments *a, const struct explore *e)
{
    char name[64], origin[200], command[PATH_MAX + 1600];
    struct run_result r;
    struct program p;
    const struct cli_found found = {.result = &r,
                                    .program = &p,
                                    .name = name,
                                    .origin = origin,
                                    .results_dir = a->results,
                                    .command = command,
                                    .shrink = !a->no_shrink,
                                    .progress = isatty(STDERR_FILENO)};

    program_init(&p);
    explore_again(a, command, sizeof(command));
    if (explore_reproducer(e, &p, &r) == 0) {
        snprintf(name, sizeof(name), "explore-%016llx",
                 (unsigned long long)e->table.states[e->found_state].key.low);
        snprintf(origin, sizeof(origin), "a shortest way to it, of all states up to level %u",
                 e->level + 1);
        cli_show_found(&found);
    } else {
        report_finding(stdout, &e->result, NULL);
    }
    program_free(&p);
}

/* Goes on from the checkpoint, if there is one, and sees that it can be written: not hours
 * later. */
static bool open_checkpoint(struct explore *e, const char *path)
{
    char why[PATH_MAX + 100];
    int error;

    if (explore_load(e, path, why, sizeof(why))) {
        fprintf(stderr, "gmemcheck explore: %s\n", why);
        return false;
    }
    error = explore_save(e, path);
    if (error)
        fprintf(stderr, "gmemcheck explore: %s: %s\n", path, strerror(-error));
    return !error;
}

/* Why explore_init refused. */
static int cannot_begin(const struct arguments *a, int error)
{
    if (error == -ENOMEM)
        fprintf(stderr,
                "gmemcheck explore: memory for %llu states (%.1f GiB) cannot be had: fewer "
                "--states\n",
                (unsigned long long)a->states, (double)table_bytes(a->states) / (1 << 30));
    else
        fprintf(stderr, "gmemcheck explore: more ops than an alphabet may have\n");
    return EXIT_USAGE;
}

static int explore(const struct arguments *a, const struct program *alphabet)
{
    const struct explore_options how = {.faults = (uint32_t)a->faults,
                                        .jobs = (uint32_t)a->jobs,
                                        .states_max = a->states,
                                        .progress = isatty(STDERR_FILENO),
                                        .subject = &subject_core,
                                        .checkpoint = a->checkpoint};
    struct explore e;
    int code, error = explore_init(&e, alphabet, &how);

    if (error)
        return cannot_begin(a, error);
    if (a->checkpoint && !open_checkpoint(&e, a->checkpoint)) {
        explore_free(&e);
        return EXIT_USAGE;
    }
    error = explore_run(&e);
    if (error) {
        fprintf(stderr, "gmemcheck explore: %s\n", strerror(-error));
        code = EXIT_INTERNAL;
    } else {
        if (e.found)
            show_finding(a, &e);
        if (e.save_error)
            fprintf(stderr, "gmemcheck explore: the checkpoint could not be written: %s\n",
                    strerror(-e.save_error));
        code = explore_exit_code(&e);
        error = explore_report(stdout, &e, a->json);
        if (error && code == EXIT_GOOD)
            code = EXIT_INTERNAL;
    }
    explore_free(&e);
    return code;
}

int cmd_explore(int argc, char **argv)
{
    struct arguments a;
    struct program alphabet;
    int code;

    program_init(&alphabet);
    if (parse(&a, argc, argv, &code))
        code = load(&a, &alphabet) ? explore(&a, &alphabet) : EXIT_USAGE;
    program_free(&alphabet);
    file_list_free(&a.files);
    return code;
}
