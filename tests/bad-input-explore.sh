#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bad-input-explore: the part of bad-input.sh about `gmemcheck explore`, read by it.
# shellcheck disable=SC2154 # its variables

# A machine, an alphabet, a checkpoint; and a subject that goes away.
explore_cases() {
    usage explore/alphabet-word '--alphabet takes .*pulg' explore --alphabet convert,pulg
    usage explore/alphabet-empty '--alphabet takes' explore --alphabet ''
    usage explore/pages-0 '--pages takes' explore --pages 0
    usage explore/pages-65 '--pages takes' explore --pages 65
    usage explore/faults-3 '--faults takes' explore --faults 3
    usage explore/containers-5 '--containers takes' explore --containers 5
    usage explore/not-an-axis '--set pages=4: only the axes' explore --set pages=4
    usage explore/no-such-machine 'inplace' explore --set mode=inplace --set kernel=6.12
    usage explore/two-files 'one file at most' explore a.scn b.scn
    usage explore/no-file 'No such file' explore none.scn
    run "$tool" explore --pages 2 --states 20
    if [[ $rc -eq 2 ]] && summary too-many-states && grep -q 'more states than fit' out; then
        ok explore/too-many-states
    else
        bad explore/too-many-states "exit $rc"
    fi
    usage explore/more-states-than-memory 'memory for 1000000000 states \(.* GiB\) cannot be had' \
        explore --states 1000000000
    printf 'no checkpoint' >checkpoint
    usage explore/checkpoint-short 'checkpoint: too short' explore --checkpoint checkpoint
    head -c 1000 /dev/zero >checkpoint
    usage explore/checkpoint-other 'checkpoint: no checkpoint of' explore --checkpoint checkpoint
    usage explore/checkpoint-nowhere 'nowhere/x: No such file' explore --checkpoint nowhere/x
    run "$wrong" explore --pages 1 --results exp
    if [[ $rc -eq 0 ]] && summary ok; then
        ok explore/well-behaved
    else
        bad explore/well-behaved "exit $rc"
    fi
    GMEMCHECK_MISBEHAVE=exit run "$wrong" explore --pages 1 --results exp --no-shrink
    if [[ $rc -eq 1 && -n $(ls exp) ]] && summary violation; then
        ok explore/subject-exits
    else
        bad explore/subject-exits "exit $rc"
    fi
}
