#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bad-input-bytes: the part of bad-input.sh about `gmemcheck decode` and `encode`, read by it.
# shellcheck disable=SC2154 # its variables

bytes_cases() {
    usage decode/nothing 'takes one file, not 0' decode
    usage decode/two 'takes one file, not 2' decode x y
    usage decode/no-value "option '-o' needs a value" decode -o
    usage encode/nothing 'needs -o OUT' encode
    usage encode/no-file 'takes one scenario file, not 0' encode -o x
    run "$tool" decode ./absent
    judge decode/absent 2 '^gmemcheck decode: ./absent: No such file or directory$'
    run "$tool" decode .
    judge decode/folder 2 '^gmemcheck decode: .: Is a directory$'
    opening >bytes.scn
    run "$tool" encode bytes.scn -o ./absent/x
    judge encode/absent 2 '^gmemcheck encode: ./absent/x: No such file or directory$'
    run "$tool" encode bytes.scn -o /dev/full
    judge encode/full 2 '^gmemcheck encode: /dev/full: cannot be written: No space left'
    "$tool" encode bytes.scn -o bytes.bin
    run "$tool" decode bytes.bin -o /dev/full
    judge decode/full 2 '^gmemcheck decode: /dev/full: No space left'
}
