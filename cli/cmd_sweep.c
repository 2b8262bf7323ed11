/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/files.h"
#include "run/report.h"
#include "run/sweep.h"

static const char help[] =
    "usage: gmemcheck sweep PATH... [OPTION...]\n\n"
    "Scenario files (of a folder, every .scn in it), each of whose host calls fails once: a\n"
    "run a call and errno, before the call's effect and after it. The rules judge; what a\n"
    "scenario expects is dropped, its own faults stay. It starts at a scenario's line `sweep\n"
    "from here`, where there is one. The first finding ends it.\n\n"
    "  --depth 1|2|3    2: every pair of faults, too, the second anywhere after the first;\n"
    "                   3: and a sample of triples (default 1)\n"
    "  --short N        deeper than 1 only what has at most N faults at depth 1 (default: "
    "all)\n"
    "  --sticky         a call that fails does so for good\n"
    "  --late           only faults after the effect (default: before and after)\n"
    "  --samples N      triples for each op that the first fault is in (default 100)\n"
    "  --seed N         of that sample (default 1)\n"
    "  --keep-going     a finding ends only the sweep of its scenario\n"
    "  --set AXIS=VALUE sweep them with another value of an axis; see gmemcheck config\n"
    "  --jobs N         worker processes (default 1)\n"
    "  --no-shrink      do not look for a shorter program that fails the same way\n"
    "  --results DIR    where failing programs are saved (default results)\n"
    "  --json           the last line as a JSON object\n";

struct arguments {
    struct generate_options fixed;
    struct file_list files;
    uint64_t depth, samples, seed, short_one, jobs;
    const char *results;
    char sets[1024]; /* as given, for the command that reproduces */
    bool sticky, late, keep_going, no_shrink, json;
};

enum {
    OPTION_DEPTH = 256,
    OPTION_SHORT,
    OPTION_STICKY,
    OPTION_LATE,
    OPTION_SAMPLES,
    OPTION_SEED,
    OPTION_KEEP_GOING,
    OPTION_SET,
    OPTION_JOBS,
    OPTION_NO_SHRINK,
    OPTION_RESULTS,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option options[] = {{"depth", 1, NULL, OPTION_DEPTH},
                                        {"short", 1, NULL, OPTION_SHORT},
                                        {"sticky", 0, NULL, OPTION_STICKY},
                                        {"late", 0, NULL, OPTION_LATE},
                                        {"samples", 1, NULL, OPTION_SAMPLES},
                                        {"seed", 1, NULL, OPTION_SEED},
                                        {"keep-going", 0, NULL, OPTION_KEEP_GOING},
                                        {"set", 1, NULL, OPTION_SET},
                                        {"jobs", 1, NULL, OPTION_JOBS},
                                        {"no-shrink", 0, NULL, OPTION_NO_SHRINK},
                                        {"results", 1, NULL, OPTION_RESULTS},
                                        {"json", 0, NULL, OPTION_JSON},
                                        {"help", 0, NULL, OPTION_HELP},
                                        {NULL, 0, NULL, 0}};

static bool take_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case OPTION_DEPTH:
        return cli_number("sweep", "--depth", optarg, 1, SWEEP_DEPTH_MAX, &a->depth);
    case OPTION_SHORT:
        return cli_number("sweep", "--short", optarg, 1, INT64_MAX, &a->short_one);
    case OPTION_STICKY:
        return a->sticky = true;
    case OPTION_LATE:
        return a->late = true;
    case OPTION_SAMPLES:
        return cli_number("sweep", "--samples", optarg, 1, INT32_MAX, &a->samples);
    case OPTION_SEED:
        return cli_number("sweep", "--seed", optarg, 0, INT64_MAX, &a->seed);
    case OPTION_KEEP_GOING:
        return a->keep_going = true;
    case OPTION_SET:
        return cli_set_axis("sweep", &a->fixed, optarg) &&
               cli_remember_set("sweep", a->sets, sizeof(a->sets), optarg);
    case OPTION_JOBS:
        return cli_number("sweep", "--jobs", optarg, 1, POOL_JOBS_MAX, &a->jobs);
    case OPTION_NO_SHRINK:
        return a->no_shrink = true;
    case OPTION_RESULTS:
        a->results = optarg;
        return true;
    case OPTION_JSON:
        return a->json = true;
    default:
        cli_bad_option("sweep", argv, option);
        return false;
    }
}

static bool parse(struct arguments *a, int argc, char **argv, int *code)
{
    int option;

    *a = (struct arguments){
        .depth = 1, .samples = SWEEP_SAMPLES, .seed = 1, .jobs = 1, .results = "results"};
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
    a->files.fixed = &a->fixed;
    return cli_take_paths("sweep", &a->files, argc, argv);
}

/* All files, the bad ones as such. */
static int load(const struct arguments *a, struct sweep *s)
{
    struct text_error problem;
    struct program p;
    int error = 0;

    program_init(&p);
    for (uint32_t i = 0; i < a->files.n && !error; i++) {
        const char *path = a->files.paths[i];
        int bad = file_load(&a->files, i, &p, &problem);

        error = sweep_add(s, path, bad ? NULL : &p, bad ? &problem : NULL);
        if (!error && s->programs[i].problem.why[0])
            cli_bad_scenario("sweep", path, s->programs[i].problem.line,
                             s->programs[i].problem.why);
    }
    program_free(&p);
    return error;
}

/* Where the program cannot be saved: the sweep of its scenario alone, as it was asked for. */
static void sweep_again(const struct arguments *a, const char *path, char *buf, size_t size)
{
    int n = snprintf(buf, size, "%.150s sweep %s --depth %llu", cli_program(), path,
                     (unsigned long long)a->depth);

    if (a->depth == SWEEP_DEPTH_MAX)
        n += snprintf(buf + n, size - (size_t)n, " --samples %llu --seed %llu",
                      (unsigned long long)a->samples, (unsigned long long)a->seed);
    snprintf(buf + n, size - (size_t)n, "%s%s%s", a->sticky ? " --sticky" : "",
             a->late ? " --late" : "", a->sets);
}

static void show_finding(const struct arguments *a, const struct sweep *s,
                         const struct sweep_finding *f)
{
    const char *path = s->programs[f->program].name;
    char name[200], origin[400], command[PATH_MAX + 1500];
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

    if (f->result.verdict == VERDICT_INPUT) {
        cli_bad_scenario("sweep", path, f->result.line, f->result.detail);
        return;
    }
    program_init(&p);
    sweep_finding_name(s, f, name, sizeof(name));
    snprintf(origin, sizeof(origin), "with %u fault%s of a sweep of %.300s", f->n_faults,
             f->n_faults == 1 ? "" : "s", path);
    sweep_again(a, path, command, sizeof(command));
    if (sweep_reproducer(s, f, &p, &r) == 0)
        cli_show_found(&found);
    else
        report_finding(stdout, &f->result, NULL);
    program_free(&p);
}

static int sweep(const struct arguments *a)
{
    const struct sweep_options how = {
        .depth = (uint32_t)a->depth,
        .choice = {.early = !a->late, .late = true, .sticky = a->sticky},
        .samples = (uint32_t)a->samples,
        .seed = a->seed,
        .short_one = a->short_one,
        .keep_going = a->keep_going,
        .jobs = (uint32_t)a->jobs,
        .progress = isatty(STDERR_FILENO),
        .subject = &subject_core};
    struct sweep s;
    int code = EXIT_INTERNAL, error;

    sweep_init(&s, &how);
    error = load(a, &s);
    if (!error)
        error = sweep_run(&s);
    if (error) {
        fprintf(stderr, "gmemcheck sweep: cannot start workers: %s\n", strerror(-error));
    } else {
        sweep_report_programs(stdout, &s);
        for (uint32_t i = 0; i < s.n_findings; i++)
            show_finding(a, &s, &s.findings[i]);
        code = pool_exit_code(&s.totals);
        error = sweep_report_summary(stdout, &s, a->json);
        if (error && code == EXIT_GOOD)
            code = EXIT_INTERNAL;
    }
    sweep_free(&s);
    return code;
}

int cmd_sweep(int argc, char **argv)
{
    struct arguments a;
    int code;

    if (parse(&a, argc, argv, &code))
        code = sweep(&a);
    file_list_free(&a.files);
    return code;
}
