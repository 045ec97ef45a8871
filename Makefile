# Tomo: the one entry for building, checking and installing.
#
#   make [module|worker|unit]   build into $(BUILD)
#   make check                  lint, then every test against $(BUILD)
#   make asan                   the same tests on sanitized binaries
#   make fuzz [MINUTES=2]       fuzz every parser (clang), see docs/fuzzing.md
#   make coverage [T=FILES]     which lines the tests reach, by folder
#   make lint | tidy | bench | install | clean
#
# Sources are found by name: a new .c file needs no change here.
# SAN=1 builds with AddressSanitizer and UBSan into build-asan/; V=1 shows
# the commands.

SAN   ?=
V     ?=
Q      = $(if $(V),,@)
SILENT = $(findstring s,$(firstword -$(filter-out --%,$(MAKEFLAGS))))
say    = $(if $(SILENT),,@echo "  $(1)	$@")
COVER ?=
BUILD ?= $(if $(COVER),build-cover,$(if $(SAN),build-asan,build))
CC     = gcc
PERL  ?= perl

PREFIX     ?= /usr
DESTDIR    ?=
SBINDIR    ?= $(PREFIX)/sbin
DATADIR    ?= $(PREFIX)/share/tomo
MANDIR     ?= $(PREFIX)/share/man
MODULESDIR ?= $(shell nginx -V 2>&1 | tr ' ' '\n' \
	| sed -n 's/^--modules-path=//p' | grep . || echo /usr/lib/nginx/modules)

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Werror
ifneq ($(COVER),)
HARDEN =
SANFLAGS = -O0 --coverage -fprofile-update=atomic
else ifeq ($(SAN),)
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2
SANFLAGS =
else
HARDEN =
SANFLAGS = -fsanitize=address,undefined -fno-omit-frame-pointer
endif
CFLAGS     ?= -O2 -g
CORE_FLAGS  = -std=c11 $(CFLAGS) $(WARN) $(HARDEN) $(SANFLAGS) -fPIC -Icore \
	-MMD -MP
WORK_FLAGS  = $(CORE_FLAGS) -D_GNU_SOURCE -Iworker -I$(BUILD)/gen -pthread
UNIT_FLAGS  = $(WORK_FLAGS) -I. -It/unit
LINK_FLAGS  = $(SANFLAGS) -pie -Wl,-z,relro -Wl,-z,now $(LDFLAGS)
CORE_LIBS   = -lutf8proc -lcrypto
WORK_LIBS   = -lhiredis -lyajl -lcurl -lmicrohttpd -linih $(CORE_LIBS) -pthread

CORE_SRC = $(wildcard core/*.c)
MOD_SRC  = $(wildcard ngx_module/*.c)
WORK_SRC = $(wildcard worker/*.c worker/*/*.c)
UNIT_SRC = $(wildcard t/unit/*.c)
FUZZ_SRC = $(filter-out t/fuzz/replay.c,$(wildcard t/fuzz/*.c))
TOOL_SRC = $(wildcard t/tools/*.c)
LUA_SRC  = $(wildcard worker/*.lua worker/*/*.lua)

CORE_OBJ = $(CORE_SRC:%.c=$(BUILD)/%.o)
WORK_OBJ = $(WORK_SRC:%.c=$(BUILD)/%.o)
LUA_HDR  = $(addprefix $(BUILD)/gen/,$(notdir $(LUA_SRC:.lua=_lua.h)))
UNIT_BIN = $(UNIT_SRC:t/unit/%.c=$(BUILD)/unit/%)
TOOL_BIN = $(TOOL_SRC:t/tools/%.c=$(BUILD)/tools/%)
PLAY_BIN = $(FUZZ_SRC:t/fuzz/%.c=$(BUILD)/fuzz/%)
FUZZ_BIN = $(FUZZ_SRC:t/fuzz/%.c=build-fuzz/bin/%)

CORE_LIB = $(BUILD)/libtomo_core.a
WORK_LIB = $(BUILD)/libtomo_worker.a
UNIT_LIB = $(if $(WORK_SRC),$(WORK_LIB)) $(CORE_LIB)

.PHONY: all module worker unit replay tools check asan fuzz fuzz-build fuzz-binaries \
	coverage lint tidy bench \
	install clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: module worker unit replay tools

# --- core: one archive, shared by the worker and the unit tests -------------
$(CORE_LIB): $(CORE_OBJ)
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $(CORE_OBJ)

$(BUILD)/core/%.o: core/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CORE_FLAGS) -c -o $@ $<

# --- worker; main() lives in worker/main.c and nowhere else -----------------
worker: $(if $(wildcard worker/main.c),$(BUILD)/tomo-worker)

$(BUILD)/tomo-worker: $(BUILD)/worker/main.o $(UNIT_LIB)
	$(call say,LD)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(WORK_LIBS)

$(WORK_LIB): $(filter-out $(BUILD)/worker/main.o,$(WORK_OBJ))
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/worker/%.o: worker/%.c Makefile | $(LUA_HDR)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(WORK_FLAGS) -c -o $@ $<

# NAME.lua becomes `static const char NAME_lua[]` in gen/NAME_lua.h.
define lua_rule
$(BUILD)/gen/$(notdir $(1:.lua=_lua.h)): $(1) Makefile
	@mkdir -p $$(@D)
	$$(call say,LUA)
	$(Q)$(PERL) -ne 'BEGIN { print "static const char \
	$(notdir $(1:.lua=))_lua[] =\n" } chomp; s/([\\"])/\\$$$$1/g; \
	print "    \"$$$$_\\n\"\n"; END { print "    \"\";\n" }' $$< > $$@
endef
$(foreach f,$(LUA_SRC),$(eval $(call lua_rule,$(f))))

# --- nginx module -----------------------------------------------------------
module: $(if $(MOD_SRC),$(BUILD)/ngx_http_tomo_module.so)

$(BUILD)/ngx_http_tomo_module.so: FORCE
	+@scripts/build-module --out $(BUILD) $(if $(SAN),--sanitize) \
	$(if $(COVER),--cover)

# --- unit tests and replay of the fuzz corpus -------------------------------
unit: $(UNIT_BIN)

$(BUILD)/unit/%: t/unit/%.c $(UNIT_LIB) Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(Q)$(CC) $(UNIT_FLAGS) $(LINK_FLAGS) -o $@ $< $(UNIT_LIB) -lcmocka \
	$(WORK_LIBS)

# --- helpers of the tests ----------------------------------------------------
tools: $(TOOL_BIN)

$(BUILD)/tools/%: t/tools/%.c $(CORE_LIB) Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(Q)$(CC) $(WORK_FLAGS) $(LINK_FLAGS) -o $@ $< $(CORE_LIB) $(CORE_LIBS) -lcurl

replay: $(PLAY_BIN)

$(BUILD)/fuzz/replay.o: t/fuzz/replay.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(UNIT_FLAGS) -c -o $@ $<

$(BUILD)/fuzz/%: t/fuzz/%.c $(BUILD)/fuzz/replay.o $(UNIT_LIB) Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(Q)$(CC) $(UNIT_FLAGS) $(NGX_FLAGS) -DTOMO_REPLAY $(LINK_FLAGS) -o $@ $< \
	$(BUILD)/fuzz/replay.o $(UNIT_LIB) $(WORK_LIBS)

# Some take files of the module, with nginx's headers as they were configured
# for it.
NGX_TREE = $(dir $(shell dpkg -L nginx-dev | grep '/conf_flags$$'))src
NGX_USER = $(foreach f,wire recover,$(BUILD)/fuzz/$(f) build-fuzz/bin/$(f))
$(NGX_USER): NGX_FLAGS = -Ingx_module $(addprefix -isystem ,$(BUILD)/nginx \
	$(addprefix $(NGX_TREE)/,core event event/modules os/unix http \
	http/modules http/v2))
$(NGX_USER): | $(BUILD)/ngx_http_tomo_module.so

fuzz:
	scripts/fuzz --minutes $(or $(MINUTES),2) $(T)

fuzz-build:
	+$(Q)$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang HARDEN= \
	SANFLAGS="-fsanitize=address,undefined,fuzzer-no-link" fuzz-binaries

fuzz-binaries: $(FUZZ_BIN)

build-fuzz/bin/%: t/fuzz/%.c $(UNIT_LIB) Makefile
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)$(CC) $(UNIT_FLAGS) $(NGX_FLAGS) -fsanitize=fuzzer $(LINK_FLAGS) -o $@ $< \
	$(UNIT_LIB) $(WORK_LIBS)

# --- checks -----------------------------------------------------------------
check: all lint
	t/harness --build $(BUILD) $(T)

asan:
	$(MAKE) SAN=1 all
	-scripts/build-nginx-asan
	t/harness --build build-asan $(T)

coverage:
	scripts/coverage $(T)

lint: $(CORE_LIB)
	scripts/lint --build $(BUILD)

tidy: $(LUA_HDR)
	printf '%s\n' $(CORE_SRC) $(WORK_SRC) | xargs -P "$$(nproc)" -n 4 sh -c \
	'clang-tidy --quiet "$$@" -- -std=c11 -D_GNU_SOURCE -Icore -Iworker \
	-I$(BUILD)/gen 2> /dev/null || { echo "tidy: clang-tidy fails on $$*"; exit 1; }' \
	tidy
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,portability --suppress=varFuncNullUB \
	-D__clang_analyzer__ \
	-Icore -Iworker -I$(BUILD)/gen \
	$(wildcard core worker)

bench: all
	scripts/bench

install: module worker
	install -d $(DESTDIR)$(MODULESDIR) $(DESTDIR)$(SBINDIR) \
	$(DESTDIR)$(DATADIR)
	for f in ngx_http_tomo_module.so; do \
	    install -m 644 $(BUILD)/$$f $(DESTDIR)$(MODULESDIR)/$$f.new && \
	    mv -f $(DESTDIR)$(MODULESDIR)/$$f.new \
	    $(DESTDIR)$(MODULESDIR)/$$f || exit 1; done
	install -m 755 $(BUILD)/tomo-worker $(DESTDIR)$(SBINDIR)/tomo-worker
	if [ -d conf ]; then cp -R conf $(DESTDIR)$(DATADIR)/; fi
	for page in $(wildcard man/*.[1-9]); do install -D -m 644 $$page \
	$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	if [ -d console/dist ]; then mkdir -p $(DESTDIR)$(DATADIR)/console && \
	cp -R console/dist/. $(DESTDIR)$(DATADIR)/console/; fi

clean:
	rm -rf build build-asan build-fuzz build-cover

FORCE:

-include $(CORE_OBJ:.o=.d) $(WORK_OBJ:.o=.d) $(UNIT_BIN:=.d) $(PLAY_BIN:=.d) \
	$(FUZZ_BIN:=.d)
