#!/bin/sh
# Our scripts: no file over 400 lines, no function over 60, and each file
# opens with a comment on what it is. A function begins at the left edge or,
# as a method, one tab in, and ends with a brace at the same place.
cd "$(dirname "$0")/../.." || exit 2
files=$(find assets tests/browser -name '*.js' -o -name '*.mjs' \
	-o -name '*.css' | grep -v node_modules | LC_ALL=C sort)
[ -n "$files" ] || { echo "found no scripts"; exit 2; }

# shellcheck disable=SC2086
awk '
FNR == 1 {
	begun = 0
	if ($0 !~ /^\/[*]/)
		print FILENAME ": does not open with a comment"
}
FNR == 401 { print FILENAME ": more than 400 lines" }
length($0) > 100 { print FILENAME ":" FNR ": longer than 100 characters" }
FILENAME ~ /[.]css$/ { next }
/^(export )?(default )?(async )?function[* ]/ { begun = FNR; end = "^}"; seen++ }
/^\t(static |async |get |set )*[a-zA-Z_$#][a-zA-Z0-9_$]*[(].*[)] [{]$/ &&
    !/^\t(if|for|while|switch|catch|with)[ (]/ { begun = FNR; end = "^\t}"; seen++ }
begun && $0 ~ end {
	if (FNR - begun + 1 > 60)
		print FILENAME ":" begun ": function of " FNR - begun + 1 " lines (60)"
	begun = 0
}
END { if (!seen) print "saw no function: this script reads the code wrongly" }
' $files | { ! grep . ; }
