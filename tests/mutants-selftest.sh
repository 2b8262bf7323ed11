#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mutants-selftest: scripts/mutants must fail when a bug is not put in, not built or not found.
# It runs in a tree whose gmemcheck is a small program: `bug`, in core/bug.c, says who finds it.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

make_tree() {
    mkdir -p "$tree"/{core,cli,scripts,scenarios/bugs,build/core,build/cli}
    cp scripts/mutants "$tree/scripts/"
    cat >"$tree/core/bug.h" <<'EOC'
enum { BUG = 0 };
EOC
    cat >"$tree/core/bug.c" <<'EOC'
#include "core/bug.h"
int bug(void)
{
    return BUG;
}
EOC
    # 1: found by all; 2: scenario, another rule; 3: by the scenario alone; 4: the campaign hangs
    cat >"$tree/cli/main.c" <<'EOC'
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int bug(void);
int main(int argc, char **argv)
{
    int n = bug(), replay = strcmp(argv[argc > 1], "replay") == 0;
    if (n == 4 && !replay) {
        FILE *f = fopen("new-pid", "w");
        fprintf(f, "%d", (int)getpid());
        fclose(f);
        rename("new-pid", "pid");
        sleep(1000);
    }
    int finds = access("broken", F_OK) == 0 || n == 1 || (n && replay);
    int sweep = strcmp(argv[argc > 1], "sweep") == 0, i;
    for (i = 0; sweep && i < argc; i++)
        if (strstr(argv[i], "X1-a-bug"))
            return 3; /* that is its own */
    if (finds)
        printf("violation: %s broken-rule\n", n == 2 ? "I3" : "S2");
    printf("gmemcheck: %s seed=1 programs=17 ops=99 runs=5 hash=1\n", finds ? "violation" : "ok");
    return finds;
}
EOC
    (cd "$tree" && gcc -I. -MMD -c -o build/core/bug.o core/bug.c &&
        gcc -I. -c -o build/cli/main.o cli/main.c &&
        ar rcs build/libcore.a build/core/bug.o &&
        gcc -o build/gmemcheck build/cli/main.o build/libcore.a)
}

# A bug X1 that replaces the line FROM of core/bug.h by TO, with its scenario.
seed() { # FROM TO [CAUGHT-BY]
    rm -rf "$tree"/scenarios "$tree"/broken && mkdir -p "$tree/scenarios/bugs"
    printf 'X1: a bug\n\n--- a/core/bug.h\n+++ b/core/bug.h\n@@ -1 +1 @@\n-%s\n+%s\n' \
        "$1" "$2" >"$tree/scenarios/bugs/X1.patch"
    printf '# caught by: %s\n' "${3:-S2}" >"$tree/scenarios/X1-a-bug.scn"
}

run() {
    (cd "$tree" && COMPILE='gcc -I.' LINK_WITH=build/libcore.a scripts/mutants --seeds 3 \
        --limit 1 "$@" 2>&1 </dev/null)
}

expect() { # NAME EXIT-CODE PATTERN-OF-OUTPUT ARGS...
    local output rc
    output=$(run "${@:4}")
    rc=$?
    # shellcheck disable=SC2053 # a pattern
    if [[ $rc -eq $2 && $output == $3 ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "mutants-selftest: FAILED: $1: exit $rc"
        printf '%s\n' "$output" | sed 's/^/    | /'
    fi
}

# The campaign that hung is ended, too.
no_one_left() {
    local i
    for ((i = 0; i < 100; i++)); do
        kill -0 "$(cat "$tree/pid")" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

# The first bug is done, the campaign of the second one hangs: then Ctrl-C.
interrupted() {
    local output rc pid
    sed 's/BUG = 1/BUG = 4/' "$tree/scenarios/bugs/X1.patch" >"$tree/scenarios/bugs/X1-hangs.patch"
    echo '# caught by (hangs): S2' >>"$tree/scenarios/X1-a-bug.scn"
    (cd "$tree" && COMPILE='gcc -I.' LINK_WITH=build/libcore.a exec setsid scripts/mutants \
        --seeds 3 --limit 100 --jobs 1 >out 2>&1 </dev/null) &
    pid=$!
    until [[ -e $tree/pid ]]; do sleep 0.05; done
    until grep -q '^X1 ' "$tree/out"; do sleep 0.05; done
    kill -TERM "$pid"
    wait "$pid"
    rc=$?
    output=$(cat "$tree/out")
    if [[ $rc -eq 130 && $output == *$'\nX1 '*'3/3'*'mutants: interrupted' ]] && no_one_left; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "mutants-selftest: FAILED: interrupted: exit $rc"
        printf '%s\n' "$output" | sed 's/^/    | /'
    fi
}

make_tree || { echo "mutants-selftest: FAILED: no tree"; exit 1; }
clean='enum { BUG = 0 };'
seed "$clean" 'enum { BUG = 1 };'
touch "$tree/scenarios/X2-another.scn"
expect "a bug that all find" 0 '*X1 *S2 *3/3 *17 *99 *1:5*mutants: ok: 1 bugs, each found'
expect "an unknown id" 2 '*no scenarios/bugs/Y1.patch*' --ids Y1
expect "a bad number" 2 '*--jobs takes a number*' --jobs none
expect "an unknown option" 2 '*unknown option*' --nothing 1
touch "$tree/broken"
expect "the core as it is fails" 1 '*none *FAILS*mutants: FAILED*'
seed "$clean" 'enum { BUG = 0 }; /* the same */'
expect "nothing changes" 1 '*X1 its scenario says ok, not S2*'
seed 'enum { BUG = 7 };' 'enum { BUG = 1 };'
expect "it does not apply" 1 '*X1 does not apply*FAILED: 1 problems'
seed "$clean" 'enum { BUG = nothing };'
expect "it does not compile" 1 '*X1 does not compile*FAILED: 1 problems'
seed "$clean" 'enum { BUG = 2 };'
expect "another rule" 1 '*X1 its scenario says I3, not S2*'
seed "$clean" 'enum { BUG = 3 };'
expect "the campaign does not find it" 1 '*X1 *S2 *0/3 *X1 is not found by 3 of 3 seeds*'
seed "$clean" 'enum { BUG = 1 };'
sed -i 's/caught/seen/' "$tree/scenarios/X1-a-bug.scn"
expect "no rule is named" 1 "*X1 no line '# caught by:'*"
rm "$tree/scenarios/X1-a-bug.scn"
expect "no scenario" 1 '*X1 has not one scenario*'
sed -i 's|core/bug.h|cli/bug.h|' "$tree/scenarios/bugs/X1.patch"
expect "it changes no core" 1 '*X1 changes no file of core/*'
seed "$clean" 'enum { BUG = 1 };'
mkdir "$tree/scenarios/bugs/fresh"
cp "$tree/scenarios/bugs/X1.patch" "$tree/scenarios/bugs/fresh/1.patch"
expect "a fresh bug needs no scenario" 0 '*fresh/1 *fresh *3/3 *fresh bugs: 1 of 1 found*ok*'
sed -i 's/BUG = 1/BUG = 3/' "$tree/scenarios/bugs/fresh/1.patch"
expect "fresh bugs are not found" 1 '*fresh/1 *0/3 *fresh bugs: 0 of 1 found*too few fresh bugs*'
seed "$clean" 'enum { BUG = 1 };'
interrupted
echo "mutants-selftest: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
