#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bad-input-explain: the part of bad-input.sh about `gmemcheck explain` and `why`, read by it.
# shellcheck disable=SC2154 # its variables

path_of() { # NAME ERR-REGEX ARGS...: bad usage or input of one of the two
    run "$tool" "${@:3}"
    judge "$1" 2 "^gmemcheck ${1%%/*}: $2"
}

explain_usage_cases() {
    local command
    for command in explain why; do
        usage "$command/no-value" "$command: option '--set' needs a value" "$command" --set
        usage "$command/set" "$command: --set pages=8: only the axes" "$command" --set pages=8 x
    done
    usage explain/nothing 'takes one scenario file, not 0' explain
    usage explain/two 'takes one scenario file, not 2' explain x y
    usage why/nothing 'no --page given' why
    usage why/no-page 'no --page given' why x
    usage why/page/no-value "option '--page' needs a value" why x --page
    usage why/no-file 'takes one scenario file, not 0' why --page ram0:0
}

# A program that fails by an expectation, and one that does not.
explain_cases() {
    local page
    mkdir -p reading && (cd reading && opening >good.scn && echo 'write ram0[1] value=5' >>good.scn)
    { cat reading/good.scn; printf '  expect result=EIO\n'; } >reading/bad.scn
    echo hello >reading/hello.scn
    path_of explain/missing 'nope.scn: No such file' explain nope.scn
    path_of explain/folder 'reading: a folder; it takes one scenario file' explain reading
    path_of explain/fifo 'fifo: neither a file nor a folder' explain fifo
    path_of explain/parse 'reading/hello.scn:1: .*gmemcheck-scenario' explain reading/hello.scn
    path_of explain/set "--set iommu=x: .*type1" explain reading/good.scn --set iommu=x
    path_of explain/refused 'reading/good.scn: mapping=page has nothing to split' explain reading/good.scn --set split=cut
    path_of why/missing 'nope.scn: No such file' why nope.scn --page ram0:0
    path_of why/folder 'reading: a folder' why reading --page ram0:0
    path_of why/parse 'reading/hello.scn:1: ' why reading/hello.scn --page ram0:0
    for page in '' ram0 ram0: ram0:8 ram0:-1 ram1:0 rom0:0 'ram0[0..2)' 'ram0[' 'gpa[0]' gpa@0xf000 \
        gpa@0xffffffffffffffff gpa@99999999999999999999 ram0@0x8000 c0 ram0:1:1 $'ram0:\001'; do
        path_of "why/page/'$page'" '--page: ' why reading/good.scn --page "$page"
    done
    for page in 'ram0:1' 'ram0[1]' 'gpa[17]' gpa@0x11000 gpa@0x11fff ram0@0x1800; do
        run "$tool" why reading/good.scn --page "$page"
        judge "why/good/$page" 0 ''
        grep -q 'private side none -> frame 1, data 5$' out || bad "why/good/$page/says" 'not what changed'
    done
    run "$tool" explain reading/good.scn
    judge explain/good 0 ''
    grep -q '^ok: nothing broke' out || bad explain/good/says 'not that nothing broke'
    run "$tool" explain reading/bad.scn
    judge explain/violation 1 ''
    grep -q '^violation: E1 expectation' out || bad explain/violation/says 'no violation'
    run "$tool" why reading/bad.scn --page ram0:1
    judge why/violation 1 ''
    GMEMCHECK_MISBEHAVE="crash" run "$wrong" explain reading/good.scn
    if [[ $rc -eq 1 ]] && grep -q '^crash: crash' out && grep -q '^op 0    write ram0\[1\]' out; then
        ok explain/crash
    else
        bad explain/crash "exit $rc"
    fi
    GMEMCHECK_MISBEHAVE="exit" run "$wrong" explain reading/good.scn
    if [[ $rc -eq 1 ]] && grep -q '(the run ended here, and its process with it)' out &&
        grep -q '^op 0    write ram0\[1\]' out; then
        ok explain/exit
    else
        bad explain/exit "exit $rc"
    fi
    for page in explain why; do
        run bash -c '"$0" "$1" reading/good.scn ${2:+--page "$2"} >/dev/full' "$tool" "$page" \
            "$([[ $page == why ]] && echo ram0:1)"
        judge "$page/full" 3 'cannot write standard output'
    done
}
