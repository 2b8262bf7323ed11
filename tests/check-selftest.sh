#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check-selftest: scripts/check must fail when a stage does. It runs in a tree where make,
# gcc, gmemcheck and the unit tests are small scripts that can be told to misbehave.
# shellcheck disable=SC2016 # they are written in quotes
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

tool() { # PATH, the script on stdin
    mkdir -p "$(dirname "$tree/$1")"
    { echo "#!$(command -v bash)"; cat; } >"$tree/$1" && chmod +x "$tree/$1"
}

clean_tree() {
    rm -rf "${tree:?}"/* && mkdir -p "$tree"/{scripts,tests,bin}
    cp scripts/check scripts/unit "$tree/scripts/"
    touch "$tree"/tests/test_{a,b}.c
    for name in tidy install-deps check mutants explore-bugs mutate; do
        echo 'echo fine' | tool "tests/$name-selftest.sh"
    done
    tool gmemcheck <<'EOF'
hash=1234 programs=17 verdict=ok
[[ $1 == run ]] && programs=$5
. ./misbehave
[[ "$*" == *--matrix* ]] && { echo "$programs of 17 scenario-configurations ok"; exit ${rc:-0}; }
echo "gmemcheck: $verdict seed=1 programs=$programs scenarios=1 runs=$programs ops=1${hash:+ hash=$hash}"
exit ${rc:-0}
EOF
    tool test <<'EOF'
tests=2 rc=0
echo "[==========] Running 2 test(s)."
. ./misbehave
for ((i = 0; i < tests; i++)); do echo "[       OK ] t$i"; done
[[ $rc -eq 0 ]] || echo "[  FAILED  ] $rc test(s), listed below:"
exit $rc
EOF
    tool bin/gcc <<'EOF'
[[ $1 == --version ]] && exit
leak='echo detected memory leaks; exit 1' overflow='echo signed integer overflow; exit 1'
. ./misbehave
while [[ $1 != -o ]]; do shift; done
printf '#!%s\n[[ $# -eq 0 ]] && { %s; }\n%s\n' "$BASH" "$leak" "$overflow" >$2
chmod +x $2
EOF
    tool bin/make <<'EOF'
for a in "$@"; do [[ $a == B=* ]] && dir=${a#B=}; done
mkdir -p $dir/tests
. ./misbehave
cp gmemcheck $dir/ && cp test $dir/tests/test_a && cp test $dir/tests/test_b
EOF
}

# NAME SUMMARY PATTERN-OF-OUTPUT; how things misbehave stands on stdin, in shell: $0 says who
# is asked, $1... with what.
expect() {
    local output rc want_rc=1
    clean_tree
    cat >"$tree/misbehave"
    [[ $2 == *' 0 failed' ]] && want_rc=0
    output=$(cd "$tree" && PATH=$tree/bin:$PATH B=build CHECK_STAGE_SECONDS=${limit:-60} \
        scripts/check 2>&1 </dev/null)
    rc=$?
    # shellcheck disable=SC2053 # a pattern
    if [[ $rc -eq $want_rc && $(tail -n 1 <<<"$output") == "$2" && $output == $3 ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "check-selftest: FAILED: $1: exit $rc"
        printf '%s\n' "$output" | grep -E 'FAIL|check:|^[0-9]' | sed 's/^/    | /'
    fi
}

# 4 unit tests and 26 stages: 5 builds, asan-works, asan-unit, 2 replays, matrix, sweep, mutants, explore-bugs, mutate,
# 2 campaigns, 3 hash comparisons, tidy, 6 selftests. A new stage changes this number, here only.
all=30
expect "all is well" "$all passed, 0 failed" '*skipped: no tests/bad-input.sh*' </dev/null
expect "a violation" "$((all - 3)) passed, 3 failed" '*FAIL*scenarios*FAIL*asan-scenarios*' \
    <<<'[[ ${1:-} == replay ]] && verdict=violation rc=1'
expect "a violation that exits 0" "$((all - 2)) passed, 2 failed" '*does not say ok*' \
    <<<'[[ ${1:-} == replay ]] && verdict=violation'
expect "no scenario" "$((all - 3)) passed, 3 failed" '*no scenario ran*' \
    <<<'[[ ${1:-} == replay ]] && programs=0'
expect "a configuration fails" "$((all - 1)) passed, 1 failed" '*not say that all are ok*' \
    <<<'[[ "$*" == *--matrix* ]] && programs=16'
expect "a sweep of nothing" "$((all - 1)) passed, 1 failed" '*FAIL*sweep*nothing ran*' \
    <<<'[[ ${1:-} == sweep ]] && programs=0'
expect "a crash" "$((all - 1)) passed, 1 failed" '*FAIL*campaign*exit 139*' \
    <<<'[[ "$*" == *--check-determinism* ]] && kill -SEGV $$'
expect "too few programs" "$((all - 1)) passed, 1 failed" '*not 20000 programs*' \
    <<<'[[ "$*" == *--check-determinism* ]] && programs=3'
expect "jobs differ" "$((all - 1)) passed, 1 failed" '*FAIL*hash-jobs*hashes differ*' \
    <<<'[[ "$*" == *"--jobs 2"* ]] && hash=99'
expect "trackers differ" "$((all - 1)) passed, 1 failed" '*FAIL*hash-trackers*hashes differ*' \
    <<<'[[ "$*" == *"tracker=extents"* ]] && hash=99'
expect "compilers differ" "$((all - 1)) passed, 1 failed" '*FAIL*hash-compilers*differ*' \
    <<<'[[ $0 == *clang*/gmemcheck ]] && hash=99'
expect "no hash" "$((all - 5)) passed, 5 failed" '*no hash*' <<<'[[ ${1:-} == run ]] && hash='
expect "one flavour does not build" "$((all - 2)) passed, 2 failed" \
    '*FAIL*build-gcc-O0*not run: build-gcc-O0 did not build*' \
    <<<'[[ "$*" == *B=build-gcc-O0* ]] && exit 2'
# build, 9 stages that need it, hash-compilers, tidy; two test binaries that are missing.
expect "nothing builds normally" "$((all - 16)) passed, 14 failed" '*not built*' \
    <<<'[[ " $* " == *" B=build "* ]] && exit 2'
expect "a unit test fails" "$((all - 2)) passed, 2 failed" '*FAIL*unit*FAIL*asan-unit*' \
    <<<'[[ $0 == */tests/test_b ]] && tests=1 rc=1'
expect "a test binary leaves early" "$((all - 3)) passed, 2 failed" '*ended before all*' \
    <<<'[[ $0 == build/tests/test_b ]] && exit 0
        [[ $0 == build-asan/tests/test_b ]] && kill -SEGV $$'
expect "sanitizers that see nothing" "$((all - 1)) passed, 1 failed" '*UBSan does not work*' \
    <<<'overflow="exit 0"'
expect "no LeakSanitizer" "$((all - 1)) passed, 1 failed" '*LeakSanitizer does not work*' \
    <<<'leak="exit 0"'
limit=3 expect "a stage hangs" "$((all - 1)) passed, 1 failed" '*FAIL*no end after 3 s*' \
    <<<'[[ "$*" == *--check-determinism* ]] && exec sleep 100'

echo "check-selftest: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
