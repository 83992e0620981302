# The assets are inside this object (.incbin), which the compiler's own
# dependency list does not know.
$(B)/cold/middleware/core/service/assets.o: $(wildcard assets/*.html \
	assets/*.css assets/*.svg)
