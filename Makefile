# SPDX-License-Identifier: GPL-2.0-or-later
#
# gmemcheck. `make help` lists what there is.
#
#   CC=clang OPT=-O0       compiler and optimisation; a change of either rebuilds
#   EXTRA_CFLAGS=          more flags, for the compiler and the linker (also rebuilds)
#   B=build-asan           build directory; flavours that live side by side have one each
#   V=1                    show whole commands
#   CAMPAIGN_SECONDS=30    length of the random part of `make campaign`
#   PROFILE=               flags of a profile-guided build, see `make pgo`
#
# A .c file in a room's directory is built into that room's library; nothing is listed here.
# tests/test_X.c is one test binary, build/tests/test_X; what it uses of the other files there is
# linked into it. bench/bench_X.c is one benchmark, bench/X_*.c is linked into it.

ifeq ($(origin CC),default)
CC := gcc
endif
OPT ?= -O3
B   ?= build
CAMPAIGN_SECONDS ?= 30

# asserts stay on in every build: nothing here may define NDEBUG.
WARNINGS   = -Wall -Wextra -Wvla -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS_ALL = -std=gnu11 -g $(OPT) $(WARNINGS) -I. -D_GNU_SOURCE $(EXTRA_CFLAGS)
# The rooms are small files that call each other all the time: gcc joins them when it links
# gmemcheck and the benchmarks. Objects stay complete, so tests and tools can use them as they are.
LTO        = $(if $(filter gcc%,$(notdir $(CC))),$(if $(filter -O2 -O3,$(OPT)),$(if \
             $(EXTRA_CFLAGS),,-flto=auto -ffat-lto-objects $(PROFILE))))
# What the campaign did not reach is compiled as it always is; the benchmarks have no profile.
PROFILE_USE = -fprofile-use -fprofile-partial-training -Wno-missing-profile
LDLIBS     = -lfiu -ljansson -lpthread

ROOMS  := core sim model program run
# The archives refer to each other (run/ to all, sim/ to core/'s headers): one group.
LIBS   := $(foreach r,run model program core sim,$(B)/lib$(r).a)
GROUP   = -Wl,--start-group $(LIBS) -Wl,--end-group

objects = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)))
OBJS   := $(call objects,$(ROOMS:%=%/*.c) cli/*.c tests/*.c bench/*.c fuzz/*.c)
CLI    := $(call objects,cli/*.c)
HELPERS := $(call objects,$(filter-out tests/test_% tests/misbehaving.c,$(wildcard tests/*.c)))
TESTS  := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
# gmemcheck around a subject that misbehaves, for tests/bad-input.sh.
MISBEHAVING := $(B)/tests/misbehaving
BENCH  := $(patsubst bench/%.c,$(B)/bench/%,$(wildcard bench/bench_*.c))

ifeq ($(V),1)
Q  :=
say = @:
else
Q  := @
say = @printf '  %-5s %s\n' '$(1)' '$(2)'
endif

# Sub-makes of one shot use all cores unless the caller chose -j.
NPROC = $(shell nproc 2>/dev/null || echo 1)
jobs  = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(NPROC))
submake = $(MAKE) --no-print-directory $(jobs)
SCRIPT_ENV = B='$(B)' CC='$(CC)' OPT='$(OPT)' EXTRA_CFLAGS='$(EXTRA_CFLAGS)'

all: $(B)/gmemcheck ## build build/gmemcheck (the default)
	@:

tests: $(TESTS) $(MISBEHAVING) ## build the unit tests
	@:

unit: $(TESTS) ## build and run the unit tests
	@scripts/unit $(B)

campaign: ## install what is missing, build, all scenarios, then 30 s of random programs
	@scripts/install-deps campaign
	@$(submake) all
	@B='$(B)' scripts/campaign $(CAMPAIGN_SECONDS)

check: ## install what is missing, then everything that CI checks
	@scripts/install-deps check
	@$(SCRIPT_ENV) scripts/check

asan: ## unit tests, scenarios and a small campaign under ASan, UBSan and LeakSanitizer
	@$(SCRIPT_ENV) scripts/check asan

# The rule on writable data reads the objects of core/ and sim/, so they are built first.
tidy: $(B)/libcore.a $(B)/libsim.a ## style: format, include table, lengths, banned calls, ...
	@scripts/tidy --objects $(B)

format: ## lay out all C files as tidy wants them
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

coverage: ## line and branch coverage of core/, with pages in build-coverage/html
	@scripts/install-deps coverage
	@scripts/coverage

benchmarks: $(BENCH)
	@:

# What is fuzzed: programs and scenario text. A flavour is a directory of its own.
FUZZ = AFL_QUIET=1 $(submake) OPT=-O3 LTO= $(1) $(addprefix B=,$(2)) $(addprefix $(2)/,fuzz-program fuzz-text)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz: $(B)/fuzz-replay ## build the fuzz targets: AFL++ plain, ASan, CmpLog; libFuzzer; mutator; seeds
	@scripts/install-deps fuzz
	@$(call FUZZ,CC=afl-clang-fast EXTRA_CFLAGS=,build-afl) build-afl/mutator.so
	@AFL_LLVM_CMPLOG=1 $(call FUZZ,CC=afl-clang-fast EXTRA_CFLAGS=,build-afl-cmplog)
	@$(call FUZZ,CC=afl-clang-fast EXTRA_CFLAGS='$(SANITIZE)',build-afl-asan)
	@$(call FUZZ,CC=clang EXTRA_CFLAGS='-DFUZZ_LIBFUZZER -fsanitize=fuzzer-no-link',build-libfuzzer)
	@$(submake) all seeds

seeds: $(B)/gmemcheck ## build/seeds: all scenarios as bytes and as text, and the words of both
	@B='$(B)' fuzz/seeds

bench: pgo ## build as `make pgo` does and run the benchmarks
	@rc=0; for b in $(BENCH:$(B)/%=build-pgo/%); do $$b || rc=1; done; exit $$rc

# MUTANTS='--ids C8 --seeds 3' passes options on.
mutants: $(B)/gmemcheck ## who finds the bugs of scenarios/bugs/ when they are put into the core
	@scripts/install-deps check
	@$(SCRIPT_ENV) COMPILE='$(CC) $(CFLAGS_ALL)' LINK_WITH='$(GROUP) $(LDLIBS)' \
	    scripts/mutants $(MUTANTS); rc=$$?; \
	    [ $$rc -gt 1 ] || B='$(B)' scripts/shrink-figures; exit $$rc

# EXPLORE='--ids C8' passes options on.
explore-bugs: $(B)/gmemcheck ## which of the bugs of scenarios/bugs/ explore finds on a small machine
	@scripts/install-deps check
	@$(SCRIPT_ENV) COMPILE='$(CC) $(CFLAGS_ALL)' LINK_WITH='$(GROUP) $(LDLIBS)' \
	    scripts/explore-bugs $(EXPLORE)

# MUTATE='--sample 100 --seed 1' passes options on.
mutate: $(B)/gmemcheck $(TESTS) ## who notices any single small change of core/ (hours; resumable)
	@scripts/install-deps check
	@$(SCRIPT_ENV) COMPILE='$(CC) $(CFLAGS_ALL)' LINK_WITH='$(GROUP) $(LDLIBS)' \
	    scripts/mutate $(MUTATE)

# Profile-guided: how the rooms call each other is known once a campaign has run.
PGO = $(submake) B=build-pgo CC=gcc OPT=-O3 EXTRA_CFLAGS=
pgo: build-pgo/trained ## build-pgo/gmemcheck: faster, compiled after a look at a campaign (gcc)
	@$(PGO) PROFILE='$(PROFILE_USE)' all benchmarks

build-pgo/trained: $(wildcard $(foreach r,$(ROOMS) cli,$(r)/*.[ch])) Makefile
	@rm -rf $(@D)
	@$(PGO) PROFILE=-fprofile-generate all
	$(@D)/gmemcheck run --seed 1 --programs 30000 --results $(@D)/results
	@touch $@

clean: ## remove everything that was built
	rm -rf build build-* $(B)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done

# --- how things are built ---------------------------------------------------------------------

# Two stamps, rewritten only when their content changes. An object depends on the compiler and
# the flags, an archive and a program also on the set of files (so that a removed one is gone).
stamp = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || \
	printf '%s\n' '$(subst ','\'',$(1))' > $@

$(B)/flags: FORCE
	$(call stamp,$(shell $(CC) --version 2>&1 | head -n 1) $(CC) $(CFLAGS_ALL) $(LTO) $(LDLIBS))

$(B)/files: FORCE
	$(call stamp,$(sort $(OBJS)))

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) $(LTO) -MMD -MP -c -o $@ $<

define room_archive
$(B)/lib$(1).a: $(call objects,$(1)/*.c) $(B)/flags $(B)/files
	@rm -f $$@
	$$(call say,AR,$$@)
	$(Q)ar rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach r,$(ROOMS),$(eval $(call room_archive,$(r))))

link = $(Q)$(CC) $(CFLAGS_ALL) $(1) -o $@ $(filter %.o %/libhelpers.a,$^) $(GROUP) $(LDLIBS)

$(B)/gmemcheck: $(CLI) $(LIBS) $(B)/flags $(B)/files
	$(call say,LINK,$@)
	$(call link,$(LTO))

# libFuzzer brings its own main.
FUZZ_LINK = $(if $(findstring fuzzer,$(EXTRA_CFLAGS)),-fsanitize=fuzzer)
$(B)/fuzz-%: $(B)/fuzz/harness.o $(B)/fuzz/target_%.o $(LIBS) $(B)/flags $(B)/files
	$(call say,LINK,$@)
	$(call link,$(FUZZ_LINK))

# What a fuzzer found, run by no fuzzer.
$(B)/fuzz-replay: $(B)/fuzz-program
	@cp $< $@

# For AFL++ to load, so not compiled by it.
MUTATOR = $(wildcard fuzz/mut*.c program/*.c)
$(B)/mutator.so: $(MUTATOR) $(wildcard fuzz/*.h program/*.h) $(B)/flags
	$(call say,LINK,$@)
	$(Q)gcc -std=gnu11 -O2 -fPIC -shared $(WARNINGS) -I. -D_GNU_SOURCE -o $@ $(MUTATOR)

# An archive, so that a test gets only the helpers that it calls.
$(B)/tests/libhelpers.a: $(HELPERS) $(B)/flags $(B)/files
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $(filter %.o,$^)

$(B)/tests/test_%: $(B)/tests/test_%.o $(B)/tests/libhelpers.a $(LIBS) $(B)/files
	$(call say,LINK,$@)
	$(call link,$(if $(LTO),-fno-lto)) -lcmocka

$(MISBEHAVING): $(MISBEHAVING).o $(CLI) $(LIBS) $(B)/flags $(B)/files
	$(call say,LINK,$@)
	$(link)

.SECONDEXPANSION:
$(B)/bench/bench_%: $(B)/bench/bench_%.o $$(call objects,bench/$$*_*.c) $(LIBS) $(B)/files
	$(call say,LINK,$@)
	$(call link,$(LTO))

-include $(OBJS:.o=.d)

FORCE:
.PHONY: all tests unit campaign check asan tidy format coverage bench benchmarks pgo mutants explore-bugs mutate fuzz seeds clean help FORCE
.SECONDARY: $(OBJS)
.DELETE_ON_ERROR:
