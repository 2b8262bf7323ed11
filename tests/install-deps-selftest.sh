#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install-deps-selftest: scripts/install-deps on pretended machines. Only $box/bin is on the
# PATH; the package tools there are small scripts that note how they were called.
set -u
cd "$(dirname "$0")/.." || exit 1
script=$PWD/scripts/install-deps
box=$(mktemp -d) || exit 1
trap 'rm -rf "$box"' EXIT
passed=0 failed=0
all='gcc make libc6-dev libfiu-dev libjansson-dev libxxhash-dev libcmocka-dev clang clang-format perl-base patch lcov'

tool() { # NAME, the script on stdin
    { echo "#!$(command -v bash)"; cat; } >"$box/bin/$1" && chmod +x "$box/bin/$1"
}

# A Debian machine with all packages but those named; USER is root, sudo or nobody.
machine() { # USER MISSING...
    local name
    rm -rf "${box:?}"/* && mkdir -p "$box/bin"
    for name in bash awk grep tail env mktemp rm cat touch; do
        ln -s "$(command -v $name)" "$box/bin/$name"
    done
    for name in $all; do
        [[ " ${*:2} " == *" $name "* ]] || echo "$name installed"
    done >"$box/installed"
    echo "cat $box/installed" | tool dpkg-query
    echo "echo $([[ $1 == root ]] && echo 0 || echo 1000)" | tool id
    [[ $1 == sudo ]] && echo 'shift; "$@"' | tool sudo
    echo 'exit 1' | tool gcc
    apt 'true'
}

apt() { # CONDITION under which an install works
    tool apt-get <<EOF
echo "\$*" >>$box/calls
[[ "\$*" == *update* ]] && { touch $box/updated; exit 0; }
$1 || { echo "E: apt's own words"; exit 100; }
[[ -e $box/liar ]] && exit 0
for p in "\$@"; do echo "\$p installed"; done >>$box/installed
EOF
}

expect() { # NAME TARGET EXIT-CODE PATTERN-OF-OUTPUT CALLS-OF-APT
    local output rc calls=0
    output=$(PATH=$box/bin "$script" "$2" 2>&1 </dev/null)
    rc=$?
    [[ -e $box/calls ]] && calls=$(wc -l <"$box/calls")
    # shellcheck disable=SC2053 # a pattern
    if [[ $rc -eq $3 && $output == $4 && $calls -eq $5 ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "install-deps-selftest: FAILED: $1: exit $rc, $calls calls of apt-get"
        printf '%s\n' "$output" | sed 's/^/    | /'
    fi
}

machine nobody
expect "all there: silent" coverage 0 '' 0
machine nobody lcov clang
expect "campaign needs less" campaign 0 '' 0
machine root libfiu-dev
expect "root installs" check 0 'installing: libfiu-dev' 1
expect "once" check 0 '' 1
machine sudo libfiu-dev clang
expect "sudo installs" check 0 'installing: libfiu-dev clang' 1
machine root libfiu-dev
apt "[[ -e $box/updated ]]"
expect "fetches the lists when an install fails" campaign 0 'installing: libfiu-dev' 3
machine root libfiu-dev
apt false
expect "install fails" campaign 1 "*own words*fault points*apt-get install*libfiu-dev" 3
machine root libfiu-dev
touch "$box/liar"
expect "installed, but not there" campaign 1 '*still missing*libfiu-dev*' 1
machine nobody libfiu-dev gcc
rm "$box/bin/gcc"
expect "neither root nor sudo" campaign 1 '*not root*as root: apt-get install*gcc libfiu-dev' 0
machine nobody libfiu-dev
echo 'exit 0' | tool gcc
expect "header without package" campaign 0 '' 0
machine nobody
rm "$box/bin/dpkg-query" "$box/bin/apt-get"
expect "no apt, no headers" campaign 1 '*no apt-get*libfiu-dev*' 0
echo 'exit 0' | tool gcc
echo 'exit 0' | tool make
expect "no apt, headers there" campaign 0 '' 0
expect "unknown target" nonsense 1 '*unknown target*' 0

echo "install-deps-selftest: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
