# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/run tests/conftest.py tests/lsan.supp $(wildcard $(srcdir)/tests/*/*.py)

# Not in EXTRA_DIST: make would run the target "check" for the file of this name.
dist-hook:
	cp -p $(srcdir)/check $(srcdir)/demo $(distdir)/

.PHONY: check-programs lint fuzz bench
# By a make of its own after "all": two at once would write the same objects.
check-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)

check-local: all check-programs
	/usr/bin/python3 $(srcdir)/tests/run --build . --asan . --only unit
	/usr/bin/python3 $(srcdir)/tests/run --build . --asan . --only sim

lint:
	$(PYTHON) $(srcdir)/build-aux/check-layers
	$(PYTHON) $(srcdir)/build-aux/check-source
	$(PYTHON) $(srcdir)/build-aux/check-readme

# Seconds for each target: make fuzz FUZZ_SECONDS=180. Needs a tree that was configured with --enable-fuzzing CC=clang.
FUZZ_SECONDS = 30
fuzz: $(BUILT_SOURCES)
	@$(MAKE) $(AM_MAKEFLAGS) $(fuzz_programs)
	@for f in $(fuzz_programs); do \
	  name=$${f##*/fuzz-}; corpus=fuzz-corpus/$$name; $(MKDIR_P) $$corpus; \
	  echo "== $$name"; \
	  seed=$(srcdir)/tests/fuzz/corpus/$$name; [ -d $$seed ] || seed=; \
	  ./$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 $$corpus $$seed \
	    > $$name.fuzz.log 2>&1 || { tail -30 $$name.fuzz.log; exit 1; }; \
	  grep -E 'stat::number_of_executed_units' $$name.fuzz.log; done

# Figures against peers; prints, asserts nothing.
bench: all
	@$(MAKE) $(AM_MAKEFLAGS) $(bench_programs)
	TSUJI_BUILD=$(abs_builddir) /usr/bin/python3 $(srcdir)/tests/bench/run

EXTRA_PROGRAMS += tests/bench/udp-blast
bench_programs += tests/bench/udp-blast
tests_bench_udp_blast_SOURCES = tests/bench/udp_blast.c
EXTRA_DIST += tests/bench/run
