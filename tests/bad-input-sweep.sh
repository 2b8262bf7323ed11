#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bad-input-sweep: the part of bad-input.sh about `gmemcheck sweep`, read by it.
# shellcheck disable=SC2154 # its variables

sweep_usage_cases() {
    local option value
    usage sweep/nothing 'no file or folder given' sweep
    for option in --depth --short --samples --seed --set --jobs --results; do
        usage "sweep/no-value$option" "sweep: option '$option' needs a value" sweep x "$option"
    done
    for option in --sticky --late --keep-going --no-shrink --json; do
        usage "sweep/value$option" "sweep: option '$option=1' takes no value" sweep x "$option=1"
    done
    for value in 0 4 -1 x ''; do
        usage "sweep/depth/'$value'" '--depth takes a number from 1 to 3' sweep x --depth "$value"
    done
    for value in 0 -1 x 2147483648; do
        usage "sweep/samples/$value" '--samples takes a number' sweep x --samples "$value"
    done
    usage sweep/short/0 '--short takes a number' sweep x --short 0
    usage sweep/jobs/0 '--jobs takes a number from 1 to 256' sweep x --jobs 0
    usage sweep/set "sweep: --set pages=8: only the axes" sweep --set pages=8 x
}

# of_sweep NAME EXIT ERR-REGEX SUMMARY ARGS...: of the last line, too.
of_sweep() {
    run "$tool" sweep "${@:5}" --results swept
    judge "sweep/$1" "$2" "$3"
    summary "$4 scenarios=[0-9]+" || bad "sweep/$1/summary" "not $4"
}

sweep_cases() {
    local lines
    sweep_usage_cases
    mkdir -p sweeps && (cd sweeps && opening >good.scn && echo 'convert ram0[0] shared' >>good.scn)
    run "$tool" sweep nope.scn
    judge sweep/missing 2 '^gmemcheck sweep: nope.scn: No such file'
    run "$tool" sweep empty
    judge sweep/folder-without-scn 2 '^gmemcheck sweep: empty: no .scn file'
    of_sweep good 0 '' ok sweeps --depth 2 --jobs 2
    { opening; echo 'sweep from there'; } >sweeps/bad.scn
    of_sweep one-bad-file 2 "^gmemcheck sweep: sweeps/bad.scn:6: expected 'here', got 'there'$" \
        bad-input sweeps
    if grep -q '^ok        sweeps/good.scn  hits=' out && grep -q '^bad-input sweeps/bad.scn$' out; then
        ok sweep/one-bad-file/others-swept
    else
        bad sweep/one-bad-file/others-swept 'no'
    fi
    { opening; printf 'fault kvm/set_attributes ENOMEM\nconvert ram0[0] shared\n'; } >sweeps/bad.scn
    of_sweep no-such-fault 2 '^gmemcheck sweep: sweeps/bad.scn:6: no call of this machine' \
        bad-input sweeps/bad.scn --set mode=inplace --set kernel=proposed
    { opening; for ((n = 0; n < 17; n++)); do echo 'fault kvm/run EINTR nth=9'; done; } >sweeps/bad.scn
    of_sweep too-many-faults 2 '^gmemcheck sweep: sweeps/bad.scn:22: more faults are armed' \
        bad-input sweeps/bad.scn
    rm sweeps/bad.scn
    run "$tool" sweep sweeps --json
    judge sweep/json 0 ''
    tail -n 1 out | grep -qE '^\{"verdict": "ok", "scenarios": 1, .*"hash": "[0-9a-f]{16}".*\}$' ||
        bad sweep/json/line 'no JSON'
    run bash -c '"$0" sweep sweeps >/dev/full' "$tool"
    judge sweep/stdout-full 3 'cannot write standard output'
    # A finding is saved, and replays the same; where it cannot be saved, it is printed.
    GMEMCHECK_MISBEHAVE=leak run "$wrong" sweep sweeps --results swept --no-shrink
    judge sweep/finding 1 ''
    lines=$(grep -E '^violation: |^  what: ' out)
    GMEMCHECK_MISBEHAVE=leak run "$wrong" replay swept/sweep-good-depth1-op0.scn
    if [[ $rc -eq 1 && -n $lines && $(grep -E '^violation: |^  what: ' out) == "$lines" ]]; then
        ok sweep/finding-replays
    else
        bad sweep/finding-replays "exit $rc, not: $lines"
    fi
    touch plain
    GMEMCHECK_MISBEHAVE=leak run "$wrong" sweep sweeps --results plain
    judge sweep/unsaved 1 'cannot save in plain: Not a directory'
    cp out printed
    program_in printed && ok sweep/unsaved/printed || bad sweep/unsaved/printed 'not whole'
    sweep_signal_cases
}

# Ctrl-C in the middle of an op's sample: what was done before it is kept.
sweep_signal_cases() {
    "$tool" sweep sweeps --depth 3 --samples 2000000000 --jobs 2 >out 2>err </dev/null &
    pid=$!
    read -r -t 1 <> <(:)
    kill -INT "$pid"
    finish
    if [[ $rc -eq 130 && ! -s err ]] && summary interrupted && [[ $(field hits) -ge 3 ]] &&
        grep -q '^unfinished sweeps/good.scn  hits=' out; then
        ok sweep/INT
    else
        bad sweep/INT "exit $rc"
    fi
}
