# The assets are inside one object, as they are and gzipped (.incbin), which
# the compiler's own dependency list does not know. Comments that fill their
# lines, indentation and empty lines are for whoever reads the sources.
assets := $(wildcard assets/*.html assets/*.css assets/*.js assets/*.svg)
assets_made := $(assets:assets/%=$(B)/gen/assets/%)
assets_gz := $(assets_made:%=%.gz)
assets_obj := $(B)/cold/middleware/core/service/assets.o

assets_lean := /^\t*\/\*/ { inside = 1 } \
	!inside { sub(/^\t+/, ""); if ($$0 != "") print } \
	inside && /\*\/$$/ { inside = 0 }

$(B)/gen/assets/%.gz: $(B)/gen/assets/%
	gzip -9nc $< >$@
$(B)/gen/assets/%: assets/% middleware/core/service/assets.mk
	@mkdir -p $(@D)
	awk '$(assets_lean)' $< >$@
$(assets_obj): $(assets_made) $(assets_gz)
$(assets_obj): ALL_CFLAGS += -Wa,-I$(B)/gen/assets

# What a first visit may cost, all pages and views together.
assets_max := 60000
check-assets: $(assets_gz)
	@cat $(assets_gz) | wc -c | { read -r n; \
	    echo "assets: $$n bytes gzipped (at most $(assets_max))"; \
	    [ "$$n" -le $(assets_max) ]; }
	sh tests/checks/scripts.sh
