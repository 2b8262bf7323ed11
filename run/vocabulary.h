/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words that program text may use for host calls and faults: the mock kernel's registry. */
#ifndef RUN_VOCABULARY_H
#define RUN_VOCABULARY_H

#include "program/text.h"

extern const struct vocabulary run_vocabulary;

#endif
