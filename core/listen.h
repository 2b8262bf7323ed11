/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which listeners a container has: all sections from its first device on, or what vmm_listen
 * asks for. The machine lock is held.
 */
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include "core/vfio_listener.h"

/* On failure the caller drops all: some may have been added. */
int listeners_add_all(struct container *c);
/* Unmaps and frees all listeners, whatever fails; the container is about to be closed. The
 * first error is returned. */
int listeners_drop_all(struct container *c);

#endif
