# The assets are inside one object, as they are and gzipped (.incbin), which
# the compiler's own dependency list does not know.
assets := $(wildcard assets/*.html assets/*.css assets/*.js assets/*.svg)
assets_gz := $(assets:assets/%=$(B)/gen/assets/%.gz)
assets_obj := $(B)/cold/middleware/core/service/assets.o

$(B)/gen/assets/%.gz: assets/%
	@mkdir -p $(@D)
	gzip -9nc $< >$@
$(assets_obj): $(assets) $(assets_gz)
$(assets_obj): ALL_CFLAGS += -Wa,-I$(B)/gen/assets

# What a first visit may cost, all pages and views together.
assets_max := 60000
check-assets: $(assets_gz)
	@cat $(assets_gz) | wc -c | { read -r n; \
	    echo "assets: $$n bytes gzipped (at most $(assets_max))"; \
	    [ "$$n" -le $(assets_max) ]; }
	sh tests/checks/scripts.sh
