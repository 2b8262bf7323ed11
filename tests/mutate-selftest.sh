#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mutate-selftest: scripts/mutate on a made-up core of one file. What is derived is compared
# line by line; a campaign of a few lines of C and a unit test kill all changes but one, which
# must be reported; then the list of equivalents and the memory of results are put to the test.
set -u
cd "$(dirname "$0")/.." || exit 1
scripts=$PWD/scripts
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
spdx='SPDX-License-Identifier: GPL-2.0-or-later'
passed=0 failed=0
export TOP=$tree B=build COMPILE='gcc -std=gnu11 -O1 -I. -D_GNU_SOURCE' LINK_WITH=''

verdict() { # NAME PASSED? (true or false); what was printed stands in $tree/out
    if $2; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "mutate-selftest: FAILED: $1"
        sed 's/^/    | /' "$tree/out"
    fi
}

mutate() { # NAME EXIT-CODE PATTERN ARGS...: the output must match the pattern
    local rc ok=false
    "$scripts/mutate" "${@:4}" >"$tree/out" 2>&1
    rc=$?
    # shellcheck disable=SC2053 # a pattern
    [[ $rc -eq $2 && $(<"$tree/out") == $3 ]] && ok=true
    verdict "$1 (exit $rc)" $ok
}

mkdir -p "$tree"/{core,cli,tests,coverage,scenarios,build/cli,build/tests}
cat >"$tree/core/tiny.h" <<EOF
/* $spdx */
enum colour { RED, GREEN, BLUE };
int tiny(int n, enum colour c);
int looked_at(void);
EOF
# Much of it looks as if something could be changed where nothing may be.
cat >"$tree/core/tiny.c" <<EOF
/* $spdx */
#include "core/tiny.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { LIMIT = 30 };
static const int table[] = {1, 2};

int looked_at(void)
{
    return (int)sizeof(int[3]);
}

int tiny(int n, enum colour c)
{
    int room[3] = {0}, rc;

    assert(n < 100 && table[0] == 1);
    rc = n > LIMIT ? -EINVAL : looked_at();
    if (rc < 0)
        return rc;
    switch (c) {
    case GREEN:
        room[1] += n;
        break;
    default:
        room[1] = !n;
    }
    for (int i = 0; i < n; i++)
        room[0]++;
    return room[0] + room[1] * LIMIT;
}
EOF
cat >"$tree/expected" <<'EOF'
14 return: return (int)sizeof(int[3]); => return 0;
19 constant: int room[3] = {0}, rc; => int room[3] = {1}, rc;
22 call: rc = n > LIMIT ? -EINVAL : looked_at() => rc = n > LIMIT ? -EINVAL : 0
22 compare: rc = n > LIMIT ? -EINVAL : looked_at() => rc = n <= LIMIT ? -EINVAL : looked_at()
22 compare: rc = n > LIMIT ? -EINVAL : looked_at() => rc = n >= LIMIT ? -EINVAL : looked_at()
22 constant: rc = n > LIMIT ? -EINVAL : looked_at() => rc = n > (LIMIT + 1) ? -EINVAL : looked_at()
22 constant: rc = n > LIMIT ? -EINVAL : looked_at() => rc = n > LIMIT ? -(EINVAL + 1) : looked_at()
22 drop: rc = n > LIMIT ? -EINVAL : looked_at() => (dropped)
23 compare: if (rc < 0) => if (rc <= 0)
23 compare: if (rc < 0) => if (rc >= 0)
23 never: if (rc < 0) => if (false)
24 return: return rc; => return 0;
27 constant: room[1] += n => room[0] += n
27 constant: room[1] += n => room[2] += n
27 drop: room[1] += n => (dropped)
27 operator: room[1] += n => room[1] -= n
28 drop: break; => (dropped)
30 constant: room[1] = !n => room[0] = !n
30 constant: room[1] = !n => room[2] = !n
30 drop: room[1] = !n => (dropped)
30 negate: room[1] = !n => room[1] = !!n
32 compare: for (int i = 0; i < n; i++) => for (int i = 0; i <= n; i++)
32 compare: for (int i = 0; i < n; i++) => for (int i = 0; i >= n; i++)
32 constant: for (int i = 0; i < n; i++) => for (int i = 1; i < n; i++)
32 never: for (int i = 0; i < n; i++) => for (int i = 0; false; i++)
32 operator: for (int i = 0; i < n; i++) => for (int i = 0; i < n; i--)
33 constant: room[0]++ => room[1]++
33 operator: room[0]++ => room[0]--
34 constant: return room[0] + room[1] * LIMIT; => return room[0] + room[0] * LIMIT;
34 constant: return room[0] + room[1] * LIMIT; => return room[0] + room[1] * (LIMIT + 1);
34 constant: return room[0] + room[1] * LIMIT; => return room[0] + room[1] * (LIMIT - 1);
34 constant: return room[0] + room[1] * LIMIT; => return room[0] + room[2] * LIMIT;
34 constant: return room[0] + room[1] * LIMIT; => return room[1] + room[1] * LIMIT;
34 operator: return room[0] + room[1] * LIMIT; => return room[0] + room[1] / LIMIT;
34 operator: return room[0] + room[1] * LIMIT; => return room[0] - room[1] * LIMIT;
34 return: return room[0] + room[1] * LIMIT; => return 0;
EOF
(cd "$tree" && "$scripts/mutate-derive" src core/tiny.c) >"$tree/out" 2>&1
/usr/bin/python3 -c '
import json, sys
for m in json.load(open(sys.argv[1])):
    print("{line} {kind}: {old} => {new}".format(**m))' "$tree/src/list.json" |
    LC_ALL=C sort >"$tree/derived"
LC_ALL=C sort "$tree/expected" | diff - "$tree/derived" >"$tree/out"
verdict "what is derived" "$([[ -s $tree/out ]] && echo false || echo true)"

# --- who kills what ---------------------------------------------------------------------------

compile() { # what the Makefile does: the objects around the core
    gcc -std=gnu11 -I"$tree" -c -o "$tree/build/cli/main.o" "$tree/cli/main.c" &&
        gcc -std=gnu11 -I"$tree" -c -o "$tree/build/tests/test_core_tiny.o" \
            "$tree/tests/test_core_tiny.c" || exit 1
}

cat >"$tree/cli/main.c" <<'EOF'
#include <stdio.h>
#include <string.h>
#include "core/tiny.h"
int main(int n, char **v)
{
    if (n > 1 && !strcmp(v[1], "run") && (tiny(3, GREEN) != 93 || tiny(3, RED) != 3))
        return printf("violation: three\n") > 0;
    return n > 1 && !strcmp(v[1], "replay") && tiny(0, RED) != 30;
}
EOF
cat >"$tree/tests/test_core_tiny.c" <<'EOF'
#include "core/tiny.h"
int main(void)
{
    return tiny(31, RED) != -22 || tiny(30, GREEN) != 930;
}
EOF
compile
mutate "survivors are reported" 1 "*survived: * core/tiny.c:14 (return)
core/tiny.c looked_at
- return (int)sizeof(int\[3\]);
+ return 0;
*campaign 2[45]  scenarios 3  unit [56] *36 of 36 changes run: 33 killed, 3 survived, 0 equivalent; 91.67 %*less than 95 %"
cat >"$tree/coverage/equivalent.txt" <<EOF
# $spdx

core/tiny.c tiny
- rc = n > LIMIT ? -EINVAL : looked_at()
+ rc = n > LIMIT ? -EINVAL : 0
  only its sign matters

# A comment.
core/tiny.c tiny
- if (rc < 0)
+ if (rc <= 0)
  it is never 0
EOF
cp "$tree/coverage/equivalent.txt" "$tree/good"
cp "$tree/build/mutate/state" "$tree/state"
mutate "listed as equivalent" 0 "survived: *1 survived, 2 equivalent; 97.06 %*"
cmp "$tree/state" "$tree/build/mutate/state" >"$tree/out" 2>&1
verdict "nothing was run again" "$([[ -s $tree/out ]] && echo false || echo true)"
mutate "a floor" 1 "*less than 100 %" --floor 100
mutate "a sample" 0 "*5 of 5 changes*" --sample 5 --seed 3 --floor 0
mutate "one by its name" 0 "*1 of 1 changes*1 survived*" --floor 0 \
    --ids "$(sed -n 's/.*"id": "\([0-9a-f]*\)", "stage": null.*/\1/p' "$tree/state" | head -n 1)" \

mutate "no such name" 2 "*there is no change 123" --ids 123
mutate "no such file" 2 "*nothing is changed in core/none.c" --file core/none.c

stanza() { # NAME EXIT PATTERN, an entry on stdin
    { cat "$tree/good" && echo && cat; } >"$tree/coverage/equivalent.txt"
    mutate "$1" "$2" "$3"
    cp "$tree/good" "$tree/coverage/equivalent.txt"
}

stanza "a stale entry" 1 "coverage/equivalent.txt: there is no such change*- if (rc < 7)*" <<'EOF'
core/tiny.c tiny
- if (rc < 7)
+ if (rc <= 7)
  gone
EOF
stanza "an occurrence too many" 1 "*there is no such change*tiny #2*" <<'EOF'
core/tiny.c tiny #2
- if (rc < 0)
+ if (rc >= 0)
  there is one
EOF
stanza "an entry that makes a difference" 1 "*this is no equivalent, campaign tells (violation: three)*" <<'EOF'
core/tiny.c tiny
- if (rc < 0)
+ if (rc >= 0)
  it does
EOF
stanza "an entry without a reason" 2 "*not an entry*" <<'EOF'
core/tiny.c tiny
- if (rc < 0)
+ if (rc >= 0)
EOF
stanza "an entry twice" 2 "*twice*" <<'EOF'
core/tiny.c tiny
- if (rc < 0)
+ if (rc <= 0)
  as before
EOF

# --- what is remembered -----------------------------------------------------------------------

lines() { wc -l <"$tree/build/mutate/state"; }

truncate -s -9 "$tree/build/mutate/state" # killed while it wrote
mutate "a broken line is run again" 0 "*36 of 36*"
echo "lines: $(lines)" >"$tree/out"
verdict "each result once" "$([[ $(lines) -eq 36 ]] && echo true || echo false)"
sed -i '2i /* A line more. */' "$tree/core/tiny.c"
mutate "entries survive a shift of lines" 0 "survived: * core/tiny.c:15 *33 killed, 1 survived, 2 equivalent*"
sed -i 's/tiny(31/looked_at() != 12 || tiny(31/' "$tree/tests/test_core_tiny.c"
compile
mutate "a better test" 0 "*34 killed, 0 survived, 2 equivalent; 100.00 %*"
sed -i 's/!= 930/!= 931/' "$tree/tests/test_core_tiny.c"
compile
rm "$tree/build/mutate/state"
mutate "the core as it is must pass" 3 "*the core as it is fails: build/mutate/test_core_tiny*"
sed -i 's/int room/int rom/' "$tree/core/tiny.c"
mutate "what does not compile" 3 "mutate: mutate-derive failed*"

echo "mutate-selftest: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
