#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# explore-bugs-selftest: scripts/explore-bugs must fail when a bug is not listed, not built or not
# found, and when the core as it is does not pass. gmemcheck and the build are small scripts here.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

tool() { # PATH, the script on stdin
    { echo "#!$(command -v bash)"; cat; } >"$tree/$1" && chmod +x "$tree/$1"
}

mkdir -p "$tree"/{scripts,build,scenarios/bugs,scenarios/explore}
cp scripts/explore-bugs "$tree/scripts/"
touch "$tree/scenarios/bugs/X1.patch"
tool build/gmemcheck <<'EOF'
. ./misbehave
[[ -n ${clean:-} ]] && exit "$clean"
echo 'gmemcheck: ok states=9 transitions=99 seconds=0.01 hash=1'
EOF
tool buggy <<'EOF'
. ./misbehave
while [[ $1 != --results ]]; do shift; done
[[ -n ${blind:-} ]] && exit 0
mkdir -p "$2" && printf 'machine\n\nfault x\nattach d0\nconvert a\n' >"$2/found.scn"
echo 'violation: S2 stale-frame, page 1'
echo 'gmemcheck: violation states=7 transitions=77 seconds=0.01 hash=1'
exit 1
EOF
tool scripts/mutants <<'EOF'
. ./misbehave
[[ -n ${unbuilt:-} ]] && { echo "does not apply"; exit 1; }
mkdir -p "build/mutants/$2" && cp buggy "build/mutants/$2/gmemcheck"
EOF

expect() { # NAME EXIT PATTERN LIST; how things misbehave stands on stdin
    local output rc
    cat >"$tree/misbehave"
    echo "$4" >"$tree/scenarios/explore/bugs"
    rm -rf "$tree/build/mutants"
    output=$(cd "$tree" && B=build scripts/explore-bugs 2>&1)
    rc=$?
    # shellcheck disable=SC2053 # a pattern
    if [[ $rc -eq $2 && $output == $3 ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "explore-bugs-selftest: FAILED: $1: exit $rc"
        printf '%s\n' "$output" | sed 's/^/    | /'
    fi
}

list='X1 --pages 2'
expect "found" 0 $'*\nX1 *S2 * 2 * 7 * 77 *--pages 2*explore-bugs: ok: 1 bugs, each found' "$list" </dev/null
expect "not found" 1 '*X1 FAILS: not found*FAILED: 1 problems' "$list" <<<'blind=1'
expect "not built" 1 '*X1 FAILS: does not apply*FAILED*' "$list" <<<'unbuilt=1'
expect "not listed" 1 '*X1 FAILS: not in*FAILED*' 'X11 --pages 2' </dev/null
expect "the core as it is fails" 1 '*none FAILS: explore --pages 2*FAILED*' "$list" <<<'clean=1'
expect "the core as it is takes too long" 1 '*none FAILS*FAILED*' "$list" <<<'clean=124'

echo "explore-bugs-selftest: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
