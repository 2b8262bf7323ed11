/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * build/tests/misbehaving is gmemcheck with a subject that does what GMEMCHECK_MISBEHAVE says,
 * for tests/bad-input.sh: findings on demand, and workers that end in every way.
 *
 *   leak           nothing is torn down: a violation in every program
 *   crash, exit    the process of the first tear-down ends
 *   kill           every tear-down is ended by SIGKILL, as by the OOM killer
 *   kill-once:PATH only one, who can make the file
 *   interrupt:PATH the same, but it is the supervisor who gets SIGINT
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/subject.h"

/* Its functions are wanted, not its table: the tool gets the one below. */
#define subject_core real_core
#include "run/subject_core.c"
#undef subject_core

enum { CALM_PROGRAMS = 50 }; /* in the middle of a campaign, not at its start */

static bool first_of_all(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int misbehave(void *state)
{
    static unsigned programs;
    const char *what = getenv("GMEMCHECK_MISBEHAVE");
    const char *path = what ? strchr(what, ':') : NULL;

    what = what ? what : "";
    if (strcmp(what, "leak") == 0)
        return 0;
    if (strcmp(what, "crash") == 0)
        raise(SIGSEGV);
    if (strcmp(what, "exit") == 0)
        _exit(7);
    if (strcmp(what, "kill") == 0)
        raise(SIGKILL);
    if (path && ++programs > CALM_PROGRAMS && first_of_all(path + 1)) {
        if (what[0] == 'k')
            raise(SIGKILL);
        else
            kill(getppid(), SIGINT);
    }
    return core_destroy(state);
}

const struct subject subject_core = {
    .version = SUBJECT_VERSION,
    .capabilities = SUBJECT_CAN_SNAPSHOT,
    .name = "core",
    .build = core_build,
    .destroy = misbehave,
    .run_vcpu = core_run_vcpu,
    .convert = core_convert,
    .attach = core_attach,
    .detach = core_detach,
    .listen = core_listen,
    .unlisten = core_unlisten,
    .region_remove = core_region_remove,
    .region_add = core_region_add,
    .reset = core_reset,
    .guard = core_guard,
    .is_populated = core_is_populated,
    .plug = core_plug,
    .unplug = core_unplug,
    .unplug_all = core_unplug_all,
    .resize = core_resize,
    .migrate = core_migrate,
    .dirty_sync = core_dirty_sync,
    .populated_bits = core_populated_bits,
    .plugged_bits = core_plugged_bits,
    .stopped = core_stopped,
    .blocked = core_blocked,
    .canon = core_canon,
};
