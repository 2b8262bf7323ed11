#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tidy-selftest: every rule of scripts/tidy must be able to fail. A clean little tree passes;
# then, one at a time, each violation below is put into it and must be reported with its file,
# line and rule, and nothing else may be.
set -u
cd "$(dirname "$0")/.." || exit 1
tidy=$PWD/scripts/tidy
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
spdx='SPDX-License-Identifier: GPL-2.0-or-later'
failed=0 passed=0

clean_tree() {
    rm -rf "${tree:?}"/* && mkdir -p "$tree"/{core,sim,model,program,run,cli,tests,scripts}
    cp .clang-format "$tree"
    printf '/* %s */\n/* What it is for. */\n#ifndef CORE_A_H\n#define CORE_A_H\n\n%s\n\n#endif\n' \
        "$spdx" 'int a(int x);' >"$tree/core/a.h"
    printf '/* %s */\n/* The page size. */\n#ifndef PROGRAM_OP_H\n#define PROGRAM_OP_H\n\n%s\n\n#endif\n' \
        "$spdx" 'enum { PAGE = 4096 };' >"$tree/program/op.h"
    # Each thing here looks like a violation and is none.
    cat >"$tree/core/a.c" <<EOF
/* $spdx */
/* strcpy() and 4096 in a comment, deb.example.org, <linux/kvm.h> */
#include <stdlib.h>

#include "core/a.h"

static const char *const names[] = {"strcpy(", "0x1000"};
static const int table[] = {1, 14096};

int a(int x)
{
    return table[x & 1] + names[0][0];
}
EOF
    cat >"$tree/run/subject_core.c" <<EOF
/* $spdx */
#include "core/a.h"
#include "model/m.h"
EOF
    cat >"$tree/model/m.c" <<EOF
/* $spdx */
#include "program/op.h"
EOF
    printf '#!/bin/bash\n# %s\n' "$spdx" >"$tree/scripts/x"
    printf 'gmemcheck-scenario 1\n# %s\n' "$spdx" >"$tree/x.scn"
}

compile() {
    local c
    rm -rf "$tree/build"
    for c in "$tree"/core/*.c "$tree"/sim/*.c; do
        [[ -e $c ]] || continue
        mkdir -p "$tree/build/$(basename "$(dirname "$c")")"
        c=${c#"$tree"/}
        # Warnings are not the matter here: some of the code is bad on purpose.
        gcc -w -O2 -I"$tree" -c -o "$tree/build/${c%.c}.o" "$tree/$c" 2>/dev/null
    done
}

verdict() { # PASSED? NAME
    if $1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "tidy-selftest: FAILED: $2"
        sed 's/^/    | /' "$tree/out"
    fi
}

run_tidy() {
    "$tidy" --objects "$tree/build" "$tree" >"$tree.out" 2>&1
    local rc=$?
    mv "$tree.out" "$tree/out"
    return $rc
}

# FILE LINE RULE, then the whole file on stdin: tidy must report just that.
expect() {
    local want="$1:$2: $3: " ok=true
    clean_tree
    mkdir -p "$tree/$(dirname "$1")"
    cat >"$tree/$1"
    compile
    run_tidy && ok=false
    grep -qF "$want" "$tree/out" || ok=false
    [[ $(grep -cE '^[^ ]+:[0-9]+: ' "$tree/out") -eq 1 ]] || ok=false
    verdict $ok "'$want' was expected, and only that"
}

c() { # the SPDX line, then each argument as a line of C
    printf '/* %s */\n' "$spdx"
    printf '%s\n' "$@"
}

fn() { # a function around one statement; the statement is line 4
    c 'int f(char *p, int n)' '{' "    $1" '}'
}

lines() { # N: that many statements
    local i
    for ((i = 0; i < $1; i++)); do echo '    n++;'; done
}

clean_tree
compile
ok=true
run_tidy || ok=false
verdict $ok "the clean tree passes"

expect core/v.c 1 spdx < <(echo 'int f(void);')
expect scripts/v 1 spdx < <(printf '#!/bin/bash\necho\n')
expect x.scn 1 spdx < <(printf 'gmemcheck-scenario 1\n')
expect core/v.c 2 format < <(c 'int  f(void);')
expect tests/v.md 2 whitespace < <(printf '<!-- %s -->\ntext \n' "$spdx")
expect tests/v.md 2 whitespace < <(printf '<!-- %s -->\ntext' "$spdx")
expect tests/v.c 3 whitespace < <(c '/*' $' *\tx' ' */')
for host in deb.debian security.debian archive.ubuntu; do
    expect tests/v.md 2 host < <(printf '<!-- %s -->\nhttp://%s.org/x\n' "$spdx" $host)
done

# The include table, row by row; the headers need not exist.
for row in 'core sim/s.h' 'core program/op.h' 'core linux/kvm.h' 'core fiu.h' 'sim core/vmm.h' \
    'sim program/op.h' 'sim model/m.h' 'program core/host.h' 'program model/m.h' \
    'model core/host.h' 'model sim/s.h' 'model program/text.h' 'run core/vmm.h' \
    'cli core/host.h' 'cli sim/s.h' 'cli model/m.h' 'cli cmocka.h' 'core unheard.h'; do
    read -r room header <<<"$row"
    case $header in
    */*.h) [[ $header == linux/* ]] && name="<$header>" || name="\"$header\"" ;;
    *) name="<$header>" ;;
    esac
    expect "$room/v.c" 3 include < <(c '#if 0' "#include $name" '#endif')
done
expect core/v.c 3 include < <(c '#if 0' '#include "../sim/s.h"' '#endif')
expect core/v.c 3 include < <(c '#if 0' '#include "a.h"' '#endif')
expect attic/v.c 1 include < <(c 'int f(void);')

expect core/v.c 3 function-length < <(c 'int f(int n)' '{'; lines 69; c '}' | tail -n 1)
expect scripts/v 3 function-length < <(printf '#!/bin/bash\n# %s\nf() {\n' "$spdx"
    lines 69; echo '}')
expect tests/v.c 501 file-length < <(c ''; for i in {1..499}; do echo "int x$i;"; done)

for call in 'strcpy(p, p)' 'strcat(p, p)' 'sprintf(p, p)' 'vsprintf(p, p, 0)' 'gets(p)' \
    'strtok(p, p)' 'rand()' 'srand(n)' 'random()' 'alloca(n)' 'atoi(p)' 'atol(p)' \
    'system(p)' 'popen(p, p)'; do
    expect tests/v.c 4 banned < <(fn "return $call;")
done
expect model/v.c 4 clock < <(fn 'return time(0);')
expect sim/v.c 4 malloc < <(fn 'return malloc(n) != p;')

expect core/v.c 2 data < <(c 'int counter = 1;')
expect core/v.c 2 data < <(c 'int counter;')
expect sim/v.c 2 data < <(c '_Thread_local int counter;')
expect sim/v.c 4 data < <(c 'int f(void)' '{' '    static int n;' '    return n++;' '}')
expect sim/v.c 2 data < <(c 'int common __attribute__((common));')
expect sim/v.c 1 data < <(c 'this does not compile;')

for page in 4096 0x1000 4096ull 0x1000UL '1 << 12' '(1ull << 12)'; do
    expect run/v.c 4 page-size < <(fn "return n == $page;")
done

expect core/v.h 2 header < <(c '#ifndef CORE_V_H' '#define CORE_V_H' '#endif')
expect core/v.h 1 header < <(c '/* Why. */' 'int f(void);')
expect core/v.h 1 header < <(c '/* Why. */' '#ifndef OTHER_H' '#define OTHER_H' '#endif')

echo "tidy-selftest: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
