#!/bin/sh
# One word, one place: no two source files of middleware have one name, and
# what two files share outside themselves begins, behind pp_, with a word that
# one floor has for itself. The word is the floor's, begins the name of a file
# there, or is in the glossary of docs/design.md.
# usage: names.sh OBJECT... [-- OBJECT...]
# Rooms of one floor (encode/text, kore/start) count as that floor.
cd "$(dirname "$0")/../.." || exit 2
symbols=$(mktemp) words=$(mktemp) bad=$(mktemp) || exit 2
trap 'rm -f "$symbols" "$words" "$bad"' EXIT

find middleware -name '*.c' | sed 's/.*\///' | sort | uniq -d |
	sed 's/$/: two files have this name/' >"$bad"

# Words that may stand for a floor: "floor word", and "* word" for all floors.
find middleware -name '*.[ch]' |
	sed -nE 's/^middleware\/(core\/)?([a-z]+)\/(.*\/)?([a-z0-9_]+)\.[ch]$/\2 \2\n\2 \4/p' |
	sort -u >"$words"
sed -n '/^## Words/,/^## The shape/s/^| \([^|]*\) |.*/\1/p' docs/design.md |
	grep -oE '[a-z0-9]+' | sed 's/^/* /' >>"$words"
grep -q '^\* slot$' "$words" || { echo "docs/design.md has no glossary"; exit 2; }

for object; do
	shift
	[ "$object" = -- ] || set -- "$@" "$object"
done
[ $# -gt 0 ] || { echo "no objects"; exit 2; }
nm -A -P -g --defined-only "$@" |
	sed -nE 's/^.*\/middleware\/(core\/)?([a-z]+)\/[^ ]* pp_([a-z0-9]+).*/\3 \2/p' |
	sort -u >"$symbols"
[ -s "$symbols" ] || { echo "the objects define no pp_ names"; exit 2; }

awk 'NR == FNR {
		if ($1 == "*")
			glossary[$2] = 1
		else
			file[$1] = file[$1] " " $2
		next
	}
	{
		if ($1 in floor)
			print "pp_" $1 "_: on the floors " floor[$1] " and " $2
		floor[$1] = $2
		if (!($1 in glossary) && index(file[$2], " " $1) == 0)
			print "pp_" $1 "_: no file of " $2 " begins so, nor is " \
			    "it in the glossary"
	}' "$words" "$symbols" >>"$bad"
[ -s "$bad" ] || exit 0
cat "$bad"
exit 1
