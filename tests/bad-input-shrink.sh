#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bad-input-shrink: the part of bad-input.sh about `gmemcheck shrink` and what `run` shrinks, read
# by it.
# shellcheck disable=SC2154 # its variables

shrink_usage_cases() {
    local option
    usage shrink/nothing 'takes one scenario file, not 0' shrink
    usage shrink/two 'takes one scenario file, not 2' shrink x y
    usage shrink/set 'shrink: --set pages=8: only the axes' shrink --set pages=8 x
    for option in --set --tries --time --output -o; do
        usage "shrink/no-value$option" "shrink: option '$option' needs a value" shrink "$option"
    done
    usage shrink/tries '--tries takes a number from 1 to' shrink --tries 0 x
    usage shrink/time '--time takes a number of seconds' shrink --time 0 x
    usage shrink/missing 'shrink: nope.scn: No such file' shrink nope.scn
    usage shrink/folder 'shrink: \.: a folder; it takes one' shrink .
}

# Where a program of the shrunk form must stand: two lines at most, and it fails.
shrunk() { # NAME FILE
    GMEMCHECK_MISBEHAVE=leak run "$wrong" replay "$2"
    if [[ $rc -eq 1 && $(sed '1,/^$/d' "$2" | wc -l) -le 2 ]] && grep -q '^# bucket [0-9a-f]\{8\}: ' "$2"; then
        ok "$1"
    else
        bad "$1" "exit $rc, or no shrunk program in $2"
    fi
}

# An output that cannot be written: one line, and the program is printed.
shrink_unsaved() { # NAME OUT ERR-REGEX
    GMEMCHECK_MISBEHAVE=leak run "$wrong" shrink shrink/leak.scn -o "$2"
    judge "shrink/$1" 3 "$3"
    sed -n '/^gmemcheck-scenario 1$/,$p' out >found.scn
    shrunk "shrink/$1/nothing-lost" found.scn
}

shrink_cases() {
    mkdir -p shrink
    { opening; printf '%s\n' 'device d0 in c0' 'attach d0' 'convert ram0[0..8) shared' 'convert ram0[2] private'; } >shrink/leak.scn
    echo hello >shrink/hello.scn
    run "$tool" shrink shrink/hello.scn
    judge shrink/parse 2 '^gmemcheck shrink: shrink/hello.scn:1: '
    run "$tool" shrink shrink/leak.scn -o shrink/none.scn
    judge shrink/good 2 'shrink/leak.scn: it holds every rule'
    [[ ! -e shrink/none.scn ]] || bad shrink/good/no-file 'a file was made'
    cp shrink/leak.scn before.scn
    GMEMCHECK_MISBEHAVE=leak run "$wrong" shrink shrink/leak.scn -o shrink/out.scn
    judge shrink/saved 0 ''
    grep -q '^shrunk: .* minimal: each of' out || bad shrink/saved/says 'not that it is minimal'
    cmp -s before.scn shrink/leak.scn || bad shrink/saved/original 'FILE was changed'
    shrunk shrink/saved/file shrink/out.scn
    GMEMCHECK_MISBEHAVE=leak run "$wrong" shrink shrink/out.scn -o shrink/again.scn
    if [[ $rc -eq 0 ]] && cmp -s shrink/out.scn shrink/again.scn; then
        ok shrink/again-is-the-same
    else
        bad shrink/again-is-the-same "exit $rc, or another file"
    fi
    GMEMCHECK_MISBEHAVE=leak run "$wrong" shrink shrink/leak.scn
    judge shrink/stdout 0 '^shrunk: '
    cp out found.scn
    shrunk shrink/stdout/program found.scn
    GMEMCHECK_MISBEHAVE=leak run bash -c '"$0" shrink shrink/leak.scn >/dev/full' "$wrong"
    judge_last shrink/stdout-full 3 'cannot write standard output'
    shrink_unsaved no-folder shrink/no/such.scn 'cannot save shrink/no/such.scn: No such file'
    shrink_unsaved full-device /dev/full 'cannot save /dev/full: No space left'
    shrink_unsaved a-folder shrink 'cannot save shrink: Is a directory'
    GMEMCHECK_MISBEHAVE='kill' run "$wrong" shrink shrink/leak.scn
    judge shrink/killed-always 3 'shrink/leak.scn: its process was killed from outside'
    GMEMCHECK_MISBEHAVE=leak run "$wrong" shrink shrink/leak.scn --tries 3
    judge shrink/budget 0 '^shrunk: .*; out of tries or time, not minimal$'
    grep -q '^# shrunk from .*, not to the end$' out || bad shrink/budget/header 'not said in the file'
}

judge_last() { # as judge, of the last line of stderr
    tail -n 1 err >err.last && mv err.last err
    judge "$@"
}

# What run does with its finding.
run_shrinks_cases() {
    local how
    for how in leak crash exit; do
        GMEMCHECK_MISBEHAVE=$how run "$wrong" run --programs 5 --results "shrunk-$how"
        [[ $how == crash ]] && : >err # a sanitizer says more of a crash than one line
        judge "run/shrinks-$how" 1 ''
        if [[ -s shrunk-$how/violation-1-0.scn && $(sed '1,/^$/d' "shrunk-$how/violation-1-0-shrunk.scn" | wc -l) -eq 0 ]] &&
            grep -q "^reproduce: .* replay shrunk-$how/violation-1-0-shrunk.scn$" out; then
            ok "run/shrinks-$how/saved"
        else
            bad "run/shrinks-$how/saved" 'no two files'
        fi
    done
    GMEMCHECK_MISBEHAVE=leak run "$wrong" run --programs 5 --results whole --no-shrink
    judge run/no-shrink 1 ''
    [[ -s whole/violation-1-0.scn && $(compgen -G 'whole/*' | wc -l) -eq 1 ]] || bad run/no-shrink/saved 'not one file'
}

shrink_all_cases() {
    shrink_usage_cases
    shrink_cases
    run_shrinks_cases
}
