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

#include "core/vmm.h"
#include "run/subject.h"

/* The subject as it is, but for the end of a machine. */
static int misbehave(struct vmm *vmm);
#define vmm_destroy misbehave
#include "run/subject_core.c"
#undef vmm_destroy

enum { CALM_PROGRAMS = 50 }; /* in the middle of a campaign, not at its start */

static bool first_of_all(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int misbehave(struct vmm *vmm)
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
    return vmm_destroy(vmm);
}
