# Some of the tests, for whoever has changed something. Nothing is installed.
#
#	make quick	unit tests, checks, and one Kore that is asked for each
#			endpoint
#	make t=heap	what has `heap` in its name, of all that `make test`
#			runs; what that needs is built

some_make := $(checks) arm64 sanitize fuzz-short soak-short
some_named = $(strip $(foreach item,$1,$(if \
	$(findstring $(t),$(notdir $(item))),$(item))))
quick_integration := tests/integration/test_endpoints.py

ifeq ($(origin t),command line)
.DEFAULT_GOAL := named
# A make that a test runs is asked for what that test says.
MAKEOVERRIDES := $(filter-out t=%,$(MAKEOVERRIDES))
unexport t
named_make := $(call some_named,$(some_make))
named_unit := $(call some_named,$(unit))
named_integration := $(call some_named,$(integration))
named_built := $(strip $(named_unit) \
	$(if $(named_integration),all app go-tools) \
	$(if $(filter %/test_trace_built.py,$(named_integration)),variants) \
	$(if $(filter %/test_browser% %/test_pictures.py,$(named_integration)), \
	$(browser)))
ifeq ($(named_make)$(named_unit)$(named_integration),)
$(error no test has "$(t)" in its name)
endif
endif

.PHONY: named quick
named: | need-check
	@$(if $(named_built),$(MAKE) --no-print-directory -j$(JOBS) \
	    $(named_built))
	@B=$(B) tests/run limit=900 $(named_make:%=make=%) \
	    limit=60 packed=3 $(named_unit) \
	    limit=300 packed=3 $(named_integration)
quick: | need-check
	@$(MAKE) --no-print-directory -j$(JOBS) all app unit
	@B=$(B) tests/run limit=300 $(checks:%=make=%) \
	    limit=60 packed=3 $(unit) limit=300 packed=3 $(quick_integration)
