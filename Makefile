# SPDX-License-Identifier: GPL-2.0-or-later
# gmemcheck: make campaign | make check | make help
CC     ?= gcc
OPT    ?= -O2
B      ?= build
CFLAGS_ALL = -std=gnu11 -g $(OPT) -Wall -Wextra -Werror -I. -MMD -MP -D_GNU_SOURCE $(EXTRA_CFLAGS)
LDLIBS = -lfiu -ljansson -lpthread

ROOMS  = core sim model program run
SRCS   = $(foreach r,$(ROOMS),$(wildcard $(r)/*.c))
OBJS   = $(SRCS:%.c=$(B)/%.o)
CLI    = $(patsubst %.c,$(B)/%.o,$(wildcard cli/*.c))
TESTS  = $(patsubst tests/test_%.c,$(B)/tests/test_%,$(wildcard tests/test_*.c))
# Linked in this order: later rooms know nothing of earlier ones.
LIBS   = $(foreach r,run model program core sim,$(B)/lib$(r).a)

all: $(B)/gmemcheck

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

define room_lib
$(B)/lib$(1).a: $(patsubst %.c,$(B)/%.o,$(wildcard $(1)/*.c))
	@mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_lib,$(r))))

$(B)/gmemcheck: $(CLI) $(LIBS)
	$(CC) $(CFLAGS_ALL) -o $@ $(CLI) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)

# What a test needs besides its own file.
$(B)/tests/test_uapi: $(B)/tests/uapi_ours.o $(B)/tests/uapi_linux.o
$(B)/tests/test_core_convert $(B)/tests/test_core_faults $(B)/tests/test_core_sweep: \
	$(B)/tests/stub_host.o

$(B)/tests/test_%: $(B)/tests/test_%.o $(LIBS)
	$(CC) $(CFLAGS_ALL) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

unit: $(TESTS)
	@for t in $(TESTS); do $$t || exit 1; done

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
