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

/* ---- one block's listeners in all containers; the block's lock is held ---- */
/* Unmaps all of them. After a failure all is back, or the VM is stopped. */
int listeners_withdraw_block(struct vmm *vmm, struct ram_block *block);
/* The way back of a withdraw that worked; goes on after an error. */
int listeners_restore_block(struct vmm *vmm, struct ram_block *block);
/* After a withdraw: they stay, and what they had is gone for good; or they go. No call. */
void listeners_settle_block(struct vmm *vmm, struct ram_block *block);
void listeners_forget_block(struct vmm *vmm, struct ram_block *block);

/* Would memory that is about to come fit into the containers that listen to all: a new section,
 * or all sections of a block that is away? Asked before anything is changed. 0 or -ENOSPC. */
int listeners_fit(struct vmm *vmm, struct ram_block *block, const struct section *s);

/* A listener on a section in each open container that listens to all. On failure none is left;
 * where that fails too the VM is stopped. */
int listeners_add_section(struct vmm *vmm, const struct section *s);

#endif
