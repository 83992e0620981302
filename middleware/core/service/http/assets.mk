# The assets are inside one object, as they are and gzipped (.incbin); the
# compiler's own dependency list does not know that. All that a page needs at
# once is one file, made of assets/ here: each request costs as much as its
# bytes.
bundle := middleware/core/service/http/bundle.awk

# The modules of each script: a module stands after those that it imports, and
# the entry is last. The other scripts take from app.js what is in there; the
# Worker is by itself.
script_app := trace_kind dom captures numbers state take client panel settings \
	list app
script_viewer := layout paint flame top callers graph_layout graph groups \
	progress viewer
script_timeline := timeline_paint timeline
script_live := live
script_worker := trace_kind trace_decode decode tree tables worker
scripts := app viewer timeline live worker

assets_made := $(scripts:%=$(B)/gen/assets/%.js) $(B)/gen/assets/pprof.css \
	$(patsubst assets/%,$(B)/gen/assets/%,$(wildcard assets/*.html assets/*.svg))
assets_gz := $(assets_made:%=%.gz)
assets_obj := $(B)/cold/middleware/core/service/http/assets.o

# Comments that fill their lines, indentation and empty lines are for whoever
# reads the sources.
assets_lean := /^\t*\/\*/ { inside = 1 } \
	!inside { sub(/^\t+/, ""); if ($$0 != "") print } \
	inside && /\*\/$$/ { inside = 0 }

$(B)/gen/assets/%.gz: $(B)/gen/assets/%
	gzip -9nc $< >$@
$(B)/gen/assets/%: assets/% middleware/core/service/http/assets.mk
	@mkdir -p $(@D)
	awk '$(assets_lean)' $< >$@
$(B)/gen/assets/pprof.css: assets/pprof.css assets/viewer.css \
		middleware/core/service/http/assets.mk
	@mkdir -p $(@D)
	awk '$(assets_lean)' $(filter %.css,$^) >$@
$(foreach one,$(scripts),$(eval \
	$(B)/gen/assets/$(one).js: $(script_$(one):%=assets/%.js)))
$(scripts:%=$(B)/gen/assets/%.js): $(B)/gen/assets/%.js: $(bundle) \
		middleware/core/service/http/assets.mk
	@mkdir -p $(@D)
	awk $(if $(filter app worker,$*),,-v shared=./app.js) -f $(bundle) \
	    $(script_$*:%=assets/%.js) >$@.part
	@mv $@.part $@
$(assets_obj): $(assets_made) $(assets_gz)
$(assets_obj): ALL_CFLAGS += -Wa,-I$(B)/gen/assets

# The most bytes that all pages and views together may cost a browser.
assets_max := 60000
scripts_none := $(filter-out $(foreach one,$(scripts),\
	$(script_$(one):%=assets/%.js)),$(wildcard assets/*.js))
check-assets: $(assets_gz)
	@[ -z "$(scripts_none)" ] || \
	    { echo "$(scripts_none): in no script of assets.mk"; exit 1; }
	@cat $(assets_gz) | wc -c | { read -r n; \
	    echo "assets: $$n bytes gzipped (at most $(assets_max))"; \
	    [ "$$n" -le $(assets_max) ]; }
	sh tests/checks/scripts.sh
