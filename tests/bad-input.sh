#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bad-input: gmemcheck's answers to what is wrong around it: arguments, files, disks, signals.
# Of each the exact exit code, one clear line on stderr (with file and line where there are any),
# and that nothing is lost. B=<build directory>. Prints a line a case; the last line is
# `N passed, N failed`. A case that needs a mount and has none is skipped, never passed.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${B:=build}"
for part in explain sweep explore shrink bytes; do
    # shellcheck source=/dev/null
    . "$PWD/tests/bad-input-$part.sh"
done
tool=$PWD/$B/gmemcheck wrong=$PWD/$B/tests/misbehaving
[[ -x $wrong && -x $tool ]] || { echo "bad-input: no $wrong or $tool: make tests all first"; exit 1; }
work=$(mktemp -d) || exit 1
mounted=''
trap '[[ -n $mounted ]] && umount "$mounted"; rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0 skipped=0
limit=120 # seconds; what takes longer hangs

ok() { # NAME
    echo "ok    $1"
    passed=$((passed + 1))
}

bad() { # NAME WHY: and what it printed
    echo "FAIL  $1: $2"
    sed 's/^/    | /' out err 2>/dev/null | cut -c1-200 | tail -n 20
    failed=$((failed + 1))
}

skip() { # NAME WHY
    echo "skip  $1: $2"
    skipped=$((skipped + 1))
}

# run COMMAND...: sets rc; out and err are files.
run() {
    timeout -s KILL "$limit" "$@" >out 2>err </dev/null
    rc=$?
}

# judge NAME EXIT ERR-REGEX: of the last run. The regex must match the one line of stderr; an
# empty one means that there is none. Sanitizer reports and crashes never match.
judge() {
    local name=$1 exit=$2 regex=$3 lines
    lines=$(wc -l <err)
    if [[ $rc -ne $exit ]]; then
        bad "$name" "exit $rc, not $exit"
    elif [[ -z $regex && $lines -ne 0 ]]; then
        bad "$name" "something on stderr"
    elif [[ -n $regex && $lines -ne 1 ]]; then
        bad "$name" "$lines lines on stderr, not one"
    elif [[ -n $regex ]] && ! grep -qE -- "$regex" err; then
        bad "$name" "stderr does not say '$regex'"
    elif LC_ALL=C grep -q '[^[:print:][:blank:]]' err; then
        bad "$name" "control characters on stderr"
    else
        ok "$name"
    fi
}

usage() { # NAME ERR-REGEX ARGS...: bad usage
    run "$tool" "${@:3}"
    judge "usage/$1" 2 "$2"
}

# scenario NAME ERR-REGEX: the file `s.scn` must be refused with `s.scn` and this.
scenario() {
    run "$tool" replay s.scn
    judge "scenario/$1" 2 "^gmemcheck replay: s\.scn$2"
}

start_lines=5
opening() { # a good start: lines 1 to $start_lines
    printf '%s\n' 'gmemcheck-scenario 1' machine 'region ram0 pages=8' \
        'section ram0[0..8) at 16' 'container c0'
}

# line NAME ERR-REGEX TEXT: as the next line of a good start it must be refused, by its number.
line() {
    { opening; printf '%s\n' "$3"; } >s.scn
    scenario "$1" ":$((start_lines + 1)): $2"
}

# summary REGEX: is the last line of stdout the summary, and does it say this?
summary() {
    tail -n 1 out | grep -qE "^gmemcheck: $1 .*hash=[0-9a-f]{16}$"
}

field() { # NAME: of the summary in out
    tail -n 1 out | sed -n "s/.* $1=\([^ ]*\).*/\1/p"
}

# --- the checker itself -----------------------------------------------------------------------

# A deliberate error: judge must fail what is wrong (and is counted only if it does).
self_test() {
    local before=$failed
    run bash -c 'echo one; echo two >&2; exit 2'
    judge x 1 two >/dev/null
    judge x 2 three >/dev/null
    judge x 2 '' >/dev/null
    run bash -c 'printf "a\nb\n" >&2; exit 2'
    judge x 2 a >/dev/null
    run bash -c 'printf "a\033[1m\n" >&2; exit 2'
    judge x 2 a >/dev/null
    local seen=$((failed - before))
    failed=$before
    if [[ $seen -eq 5 ]]; then ok self-test; else bad self-test "$seen of 5 errors seen"; fi
}

# --- arguments --------------------------------------------------------------------------------

usage_cases() {
    local command option value
    usage no-command 'no command given.*--help'
    usage unknown-command "unknown command 'frobnicate'" frobnicate
    usage unknown-command-nasty 'unknown command' 'x'
    for command in run replay shrink sweep explain why faults ops config; do
        run "$tool" "$command" --help
        if grep -q '^usage: gmemcheck' out; then
            judge "help/$command" 0 ''
        else
            bad "help/$command" 'no usage'
        fi
        usage "$command/unknown-option" "^gmemcheck $command: .*--frob" "$command" --frob
    done
    for option in --help --version; do
        run "$tool" "$option"
        judge "help/$option" 0 ''
    done
    for option in --seed --programs --first --time --jobs --set --results; do
        usage "run/no-value$option" "run: option '$option' needs a value" run "$option"
    done
    for option in --json --trace --check-determinism; do
        usage "run/value$option" "run: option '$option=1' takes no value" run "$option=1"
    done
    for value in '' -1 +1 x 1x 0x 1.5 1e3 ' 1' 9223372036854775808 18446744073709551616 \
        99999999999999999999999; do
        usage "run/seed/'$value'" "--seed takes a number from .*, not '" run --seed "$value"
    done
    for value in 0 -1 257 x 4294967297; do
        usage "run/jobs/$value" "--jobs takes a number from 1 to 256" run --jobs "$value"
        usage "replay/jobs/$value" "--jobs takes a number from 1 to 256" replay --jobs "$value" x
    done
    for value in '' 0 -1 nan inf 1e9 1e999 x 1x 1e-400; do
        usage "run/time/'$value'" "--time takes a number of seconds" run --time "$value"
    done
    usage run/programs/0 '--programs takes a number' run --programs 0
    usage run/set/no-value '--set failure: ' run --set failure
    usage run/set/unknown-key "--set a=b: unknown key 'a'; there are: .*failure" run --set a=b
    usage run/set/unknown-value "--set failure=x: .*rollback\|stop" run --set failure=x
    usage run/set/overflow '--set pages=' run --set pages=4294967297
    usage run/set/range '--set pages=0: ' run --set pages=0
    usage replay/set/not-an-axis '--set pages=8: only the axes' replay --set pages=8 x
    usage run/too-many-arguments "unexpected argument 'x'" run x
    usage replay/nothing 'no file or folder given' replay
    { opening; echo 'convert ram0[0] shared'; } | sed 's/^machine.*/machine failure=stop/' >s.scn
    usage replay/matrix/ruled-out 'rule out --set failure=rollback' replay --matrix --set failure=rollback s.scn
    usage faults/argument "takes no argument, but got 'x'" faults x
    run "$tool" run --time 1e-3
    judge run/time/1e-3 0 ''
    [[ $(field programs) -ge 1 ]] || bad run/time/1e-3-programs 'nothing was run'
}

# --- scenario text ----------------------------------------------------------------------------

text_cases() {
    local n
    : >s.scn && scenario empty ':1: '
    printf '\n\n\n' >s.scn && scenario blank ':[0-9]+: '
    echo 'gmemcheck-scenario 2' >s.scn && scenario newer ':1: .*(2|version)'
    echo 'hello world' >s.scn && scenario no-version ':1: .*gmemcheck-scenario'
    echo 'gmemcheck-scenario 1' >s.scn && scenario version-only ':[0-9]+: '
    printf 'gmemcheck-scenario 1\nmachine\0\n' >s.scn && scenario nul ':2: '
    head -c 100000 "$tool" >s.scn && scenario binary ':1: '
    { opening; head -c 3000 /dev/zero | tr '\0' a; } >s.scn && scenario long-line ':6: '
    { opening; printf 'attach \377\376\n'; } >s.scn && scenario high-bytes ':6: '
    { opening; printf 'convert ram0[0..'; } >s.scn && scenario truncated-range ':6: '
    { opening; printf 'fault vfio/map'; } >s.scn && scenario truncated-line ':6: '
    line op "unknown .*'convrt'.*convert" 'convrt ram0[0] shared'
    line fault-point "unknown fault point 'vfio/mapp'; did you mean 'vfio/map'" 'fault vfio/mapp ENOSPC'
    line fault-errno '.*ENOTTY; it fails with: ENOMEM' 'fault vfio/map ENOTTY'
    line fault-nth 'nth' 'fault vfio/map ENOSPC nth=0'
    line page-out-of-range 'ram0' 'convert ram0[8] shared'
    line range-out-of-range 'ram0' 'query ram0[0..9)'
    line range-backwards '' 'query ram0[4..2)'
    line region "unknown region .ram7.; this machine has 1" 'query ram7[0]'
    { opening; printf '%s\n' 'convert ram0[0] shared' 'expect mode=inplace order=unmap-first running'; } >s.scn
    scenario condition-of-no-machine ':7: .*no machine can have mode=inplace order=unmap-first'
    { opening; printf '%s\n' 'convert ram0[0] shared' 'expect result=0' 'expect result=EIO'; } >s.scn
    scenario expectations-at-odds ':8: .*at odds with expect result of line 7'
    line container "unknown container 'c9'" 'device d0 in c9'
    line device "unknown device 'd3'" 'attach d3'
    line number-overflow '.*18446744073709551616' 'convert gpa@18446744073709551616+1 shared via=vmm'
    line number-negative '' 'query ram0[-1]'
    line pages-overflow 'pages: 4294967296 is too large' 'region ram1 pages=4294967296'
    line gpa-overflow '' 'section ram0[0..8) at 18446744073709551615'
    line second-machine '' machine
    line twice "'vcpu' is given twice" 'convert ram0[0] shared vcpu=0 vcpu=0'
    line vcpu '' 'convert ram0[0] shared vcpu=7'
    line expect-nothing '' 'expect result=0'
    { opening; printf 'query ram0[0]\n  expect result=EWHAT\n'; } >s.scn && scenario expect-errno ':7: .*EWHAT'
    { opening; printf 'query ram0[0]\n  expect frobs=1\n'; } >s.scn && scenario expect-unknown ':7: .*frobs'
    printf 'gmemcheck-scenario 1\nmachine order=sideways\n' >s.scn
    scenario axis-value ":2: .*sideways"
    printf 'gmemcheck-scenario 1\nmachine colour=red\n' >s.scn && scenario axis ":2: .*colour"
    { opening; for n in {1..70}; do echo "fault vfio/map ENOSPC nth=$n"; done; } >s.scn
    scenario too-many-faults ':[0-9]+: .*faults'
    # Too much of everything.
    { opening; yes 'query ram0[0]' | head -n 70000; } >s.scn && scenario too-many-ops ':65542: '
    { opening; yes '(((((((((((((((((((((' | head -n 100000; } >s.scn && scenario nonsense ':6: '
    yes '# comment' | head -c 104857600 >s.scn && scenario 100MB ': larger than .*64 MiB'
    yes '# comment' | head -c 60000000 >s.scn && scenario 60MB-of-comments ':1: '
    { echo 'gmemcheck-scenario 1'; yes '# comment' | head -c 60000000; } >s.scn
    scenario 60MB-without-machine ':[0-9]+: '
    head -c 60000000 /dev/zero >s.scn && scenario 60MB-of-zeros ':1: '
    rm s.scn
}

# --- paths ------------------------------------------------------------------------------------

path() { # NAME ERR-REGEX PATH
    run "$tool" replay "$3"
    judge "path/$1" 2 "^gmemcheck replay: $2"
}

path_cases() {
    local long
    long=$(printf 'x%.0s' {1..200})
    mkdir empty folder && touch empty/README && mkfifo fifo && mkdir folder/a.scn
    path missing 'nope: No such file' nope
    path through-a-file 'empty/README/x.scn: Not a directory' empty/README/x.scn
    path too-long '.*File name too long' "$long$long"
    path folder-without-scn 'empty: no .scn file' empty
    path folder-named-scn 'folder/a.scn: neither' folder
    path fifo 'fifo: neither a file nor a folder' fifo
    path endless '/dev/zero: neither a file nor a folder' /dev/zero
    path empty-name ': No such file' ''
    ln -s loop loop && path loop 'loop: Too many levels' loop
    mkdir -p "$long/$long" && echo x >"$long/$long/s.scn"
    path long-name-keeps-line ".*/s\.scn:1: .*gmemcheck-scenario" "$long/$long/s.scn"
    # One bad file does not stop the others, and a violation outweighs it, however late it comes.
    mkdir many && for n in {10..39}; do echo x >"many/$n.scn"; done
    { opening; printf 'query ram0[0]\n  expect populated=1\n'; } >many/99.scn
    run "$tool" replay many
    if [[ $rc -eq 1 && $(wc -l <err) -eq 30 ]] && summary violation; then
        ok path/violation-after-many-bad
    else
        bad path/violation-after-many-bad "exit $rc, $(wc -l <err) lines"
    fi
}

# --- output -----------------------------------------------------------------------------------

program_in() { # FILE: a program that can be replayed, somewhere in it
    sed -n '/^gmemcheck-scenario 1$/,/^gmemcheck: /p' "$1" | grep -v '^gmemcheck: ' >found.scn
    run "$tool" replay found.scn
    [[ $rc -eq 0 ]] && [[ $(field ops) -ge 1 ]]
}

# unsaved NAME RESULTS-DIR ERR-REGEX: a violation that cannot be saved there must be printed.
unsaved() {
    local name=results/$1 before=$failed
    GMEMCHECK_MISBEHAVE=leak run "$wrong" run --programs 5 --results "$2"
    judge "$name" 1 "$3"
    [[ $failed -eq $before ]] || return
    cp out printed
    if ! summary violation; then
        bad "$name/summary" 'no summary'
    elif compgen -G "$2/violation-*" >left; then
        bad "$name/leftover" "$(cat left)"
    elif ! program_in printed; then
        bad "$name/program" 'the program was not printed whole'
    else
        ok "$name/nothing-lost"
    fi
}

results_cases() {
    touch plain
    unsaved a-file-in-its-place plain 'cannot save in plain: Not a directory'
    unsaved no-parent no/such/folder 'cannot save in no/such/folder: No such file'
    unsaved too-long "$(printf 'x%.0s' {1..300})" 'cannot save in x.*: File name too long'
    (
        ulimit -f 0
        GMEMCHECK_MISBEHAVE=leak timeout -s KILL "$limit" "$wrong" run --programs 5 \
            --results small 2>&1 </dev/null | cat
        exit "${PIPESTATUS[0]}"
    ) | cat >both 2>&1
    rc=${PIPESTATUS[0]}
    grep '^gmemcheck: cannot' both >err
    cp both out
    judge results/file-size-limit 1 'cannot save in small: File too large'
    if compgen -G 'small/*' >/dev/null || ! program_in both; then
        bad results/file-size-limit/nothing-lost 'leftover, or not printed whole'
    else
        ok results/file-size-limit/nothing-lost
    fi
    mkdir full
    if mount -t tmpfs -o size=64k none full 2>/dev/null; then
        mounted=$work/full
        head -c 70000 /dev/zero >full/filler 2>/dev/null
        unsaved full-disk full 'cannot save in full: No space left'
        umount full && mounted=''
    else
        skip results/full-disk 'no mount possible here'
    fi
    GMEMCHECK_MISBEHAVE=leak run "$wrong" run --programs 5 --results good
    judge results/saved 1 ''
    run "$tool" replay good
    judge results/saved-replays 0 ''
}

stdout_cases() {
    run bash -c '"$0" run --programs 5 >/dev/full' "$tool"
    judge stdout/full 3 'cannot write standard output'
    run bash -c '"$0" run --programs 5 --json >/dev/full' "$tool"
    judge stdout/full-json 3 'cannot write standard output'
    run bash -c '"$0" --help >/dev/full' "$tool"
    judge stdout/full-help 3 'cannot write standard output'
    run bash -c '"$0" run --programs 5 >&-' "$tool"
    judge stdout/closed 3 'cannot write standard output'
    run bash -c '"$0" run --programs 5 >&- 2>&- <&-' "$tool"
    judge stdout/all-closed 3 ''
    run bash -c '"$0" config | exec true; exit "${PIPESTATUS[0]}"' "$tool"
    [[ $rc -eq 0 ]] && rc=3 && echo 'cannot write' >err # it may have been quicker than its reader
    judge stdout/reader-gone 3 'cannot write'
    # A violation stays one, and is saved, whatever the reader does.
    for how in '>/dev/full' '>&-' '| exec true'; do
        rm -rf good
        GMEMCHECK_MISBEHAVE=leak run bash -c \
            '"$0" run --programs 5 --results good '"$how"'; exit "${PIPESTATUS[0]}"' "$wrong"
        if [[ $rc -eq 1 && -s good/violation-1-0.scn ]] &&
            "$tool" replay good >out 2>&1; then
            ok "stdout/violation $how"
        else
            bad "stdout/violation $how" "exit $rc"
        fi
    done
    # Nowhere to go but stderr.
    GMEMCHECK_MISBEHAVE=leak run bash -c '"$0" run --programs 5 --results plain >/dev/full' \
        "$wrong"
    cp err printed
    if [[ $rc -eq 1 ]] && program_in printed; then
        ok stdout/violation-on-stderr
    else
        bad stdout/violation-on-stderr "exit $rc"
    fi
    run "$tool" run --programs 50 --json
    if [[ $rc -eq 0 && $(wc -l <out) -eq 1 ]] &&
        grep -qE '^\{"verdict": "ok", "seed": 1, .*"hash": "[0-9a-f]{16}".*\}$' out; then
        ok stdout/json
    else
        bad stdout/json "exit $rc"
    fi
}

# --- signals ----------------------------------------------------------------------------------

# Starts a long campaign, waits until its workers are there: $pid, $workers.
start() { # ARGS...
    "$tool" run --time 100 --jobs 2 "$@" >out 2>err </dev/null &
    pid=$!
    for ((n = 0; n < 2000; n++)); do
        workers=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
        [[ $(wc -w <<<"$workers") -eq 2 ]] && return
        kill -0 "$pid" 2>/dev/null || return
        read -r -t 0.01 <> <(:)
    done
}

finish() { # sets rc; a hang is killed
    for ((n = 0; n < 3000; n++)); do
        kill -0 "$pid" 2>/dev/null || break
        read -r -t 0.01 <> <(:)
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    rc=$?
}

gone() { # PID...: all of them, soon
    local one
    for one in "$@"; do
        for ((n = 0; n < 1000; n++)); do
            [[ -e /proc/$one ]] || continue 2
            grep -q '^State:.Z' "/proc/$one/status" 2>/dev/null && continue 2
            read -r -t 0.01 <> <(:)
        done
        return 1
    done
}

# shellcheck disable=SC2086 # $workers is a list
signal_cases() {
    local name
    for name in INT TERM HUP; do
        if [[ $name == HUP ]] && (($(awk '/^SigIgn/ { print "0x" $2 }' /proc/self/status) & 1)); then
            skip signal/HUP 'ignored here (nohup), so it is not caught'
            continue
        fi
        start
        kill "-$name" "$pid"
        finish
        if [[ $rc -eq 130 && ! -s err ]] && summary interrupted && gone $workers; then
            ok "signal/$name"
        else
            bad "signal/$name" "exit $rc"
        fi
    done
    start --json
    kill -INT "$pid"
    finish
    if [[ $rc -eq 130 ]] && tail -n 1 out | grep -q '^{"verdict": "interrupted".*}$'; then
        ok signal/INT-json
    else
        bad signal/INT-json "exit $rc"
    fi
    # Every number of what was done is still there, and counts once.
    rm -f once
    GMEMCHECK_MISBEHAVE=interrupt:once run "$wrong" run --programs 100000000 --jobs 2
    if [[ $rc -eq 130 ]] && summary interrupted && [[ $(field programs) -ge 50 ]]; then
        ok signal/INT-in-the-middle
    else
        bad signal/INT-in-the-middle "exit $rc"
    fi
    start
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    if [[ -n $workers ]] && gone $workers; then
        ok signal/supervisor-killed-workers-end
    else
        bad signal/supervisor-killed-workers-end "still there: $workers"
    fi
}

worker_cases() {
    local quiet
    run "$tool" run --programs 3000 --jobs 2
    quiet=$(field hash),$(field programs),$(field ops),$(field host_calls),$(field faults)
    rm -f once
    GMEMCHECK_MISBEHAVE=kill-once:once run "$wrong" run --programs 3000 --jobs 2
    judge worker/killed-once 0 'worker [01] was killed from outside in program [0-9]+; started again'
    if [[ $(field hash),$(field programs),$(field ops),$(field host_calls),$(field faults) == "$quiet" ]]; then
        ok worker/killed-once/same-sums
    else
        bad worker/killed-once/same-sums "not $quiet"
    fi
    # From outside indeed: whatever it was doing.
    "$tool" run --programs 300000 --jobs 2 >out 2>err </dev/null &
    pid=$!
    for ((n = 0; n < 3; n++)); do
        read -r -t 0.05 <> <(:)
        workers=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
        [[ -n $workers ]] && kill -KILL "${workers%% *}" 2>/dev/null
    done
    finish
    quiet=$rc,$(field hash),$(field programs),$(field ops)
    n=$(grep -c 'killed from outside' err)
    run "$tool" run --programs 300000 --jobs 2
    if [[ $n -ge 1 && $rc,$(field hash),$(field programs),$(field ops) == "$quiet" ]]; then
        ok "worker/killed-anywhere ($n times)"
    else
        bad worker/killed-anywhere "$quiet, killed $n times"
    fi
    GMEMCHECK_MISBEHAVE='kill' run "$wrong" run --programs 3000 --jobs 1 --results killed
    if [[ $rc -eq 3 && $(wc -l <err) -eq 4 ]] && grep -q 'program 0; given up' err &&
        summary error && [[ -s killed/violation-1-0.scn ]]; then
        ok worker/killed-always
    else
        bad worker/killed-always "exit $rc"
    fi
    for how in crash exit; do
        GMEMCHECK_MISBEHAVE=$how run "$wrong" run --programs 3000 --jobs 2 --results "$how"
        if [[ $rc -eq 1 && -s $how/violation-1-0.scn ]] && grep -q '^crash: crash' out &&
            summary violation; then
            ok "worker/subject-${how}s"
        else
            bad "worker/subject-${how}s" "exit $rc"
        fi
    done
}

for part in self_test usage_cases text_cases path_cases explain_usage_cases explain_cases bytes_cases \
    sweep_cases explore_cases results_cases stdout_cases signal_cases worker_cases shrink_all_cases; do
    "$part"
done
[[ $skipped -eq 0 ]] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
