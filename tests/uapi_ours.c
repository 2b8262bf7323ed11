/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/uapi.h"
#include "tests/uapi_list.h"

const struct uapi_value uapi_ours[] = {
    UAPI_NUMBERS(UAPI_NUMBER) UAPI_STRUCTS(UAPI_SIZE, UAPI_OFFSET)
        UAPI_NEW_STRUCTS(UAPI_SIZE, UAPI_OFFSET){NULL, 0},
};
