/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of a fuzz target, by who compiles it: afl-clang-fast makes a persistent AFL++
 * target, -DFUZZ_LIBFUZZER a libFuzzer one, anything else a program that takes files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/target.h"

static void must_init(void)
{
    int error = target_init();

    if (!error)
        return;
    fprintf(stderr, "fuzz: cannot start: %s\n", strerror(-error));
    exit(3);
}

#if defined(__AFL_COMPILER) || defined(FUZZ_LIBFUZZER)
static void one(const uint8_t *data, size_t size)
{
    char why[400] = "";

    if (size > TARGET_BYTES_MAX || target_one(data, size, why, sizeof(why)))
        return;
    fprintf(stderr, "fuzz: %s\n", why);
    abort();
}
#endif

#if defined(FUZZ_LIBFUZZER)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    must_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one(data, size);
    return 0;
}

#elif defined(__AFL_COMPILER)

enum { LOOPS = 100000 };

__AFL_FUZZ_INIT();

int main(void)
{
    const uint8_t *data;

    must_init();
    __AFL_INIT();
    data = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(LOOPS))
        one(data, (size_t)__AFL_FUZZ_TESTCASE_LEN);
    return 0;
}

#else

/* Exit codes: 0 all good, 1 a finding, 2 a file that cannot be read. */
static int replay(const char *path)
{
    static uint8_t data[TARGET_BYTES_MAX + 1];
    FILE *f = fopen(path, "re");
    char why[400] = "";
    size_t n = 0;

    errno = 0;
    if (f)
        n = fread(data, 1, sizeof(data), f);
    if (!f || ferror(f)) {
        fprintf(stderr, "fuzz-replay: %s: %s\n", path, strerror(errno ? errno : ENOENT));
        if (f)
            fclose(f);
        return 2;
    }
    fclose(f);
    if (n > TARGET_BYTES_MAX) {
        printf("%s: skipped: more than %d bytes\n", path, TARGET_BYTES_MAX);
        return 0;
    }
    if (target_one(data, n, why, sizeof(why)))
        return 0;
    printf("%s: %s\n", path, why);
    return 1;
}

int main(int argc, char **argv)
{
    int code = 0, found = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...: runs each as the fuzzer would\n", argv[0]);
        return 2;
    }
    must_init();
    for (int i = 1; i < argc; i++) {
        int one = replay(argv[i]);

        found += one == 1;
        code = one > code ? one : code;
    }
    printf("%d files, %d findings\n", argc - 1, found);
    return code;
}

#endif
