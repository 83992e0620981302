#!/bin/sh
# No object files need each other in a circle, be they of one floor or of
# several: what needs all is above what all need. Includes do not show it, the
# symbol tables do.
# usage: cycles.sh OBJECT... [-- OBJECT...]
# Behind -- stands another program, which may have the same files.
one=$(mktemp) two=$(mktemp) || exit 2
trap 'rm -f "$one" "$two"' EXIT

# cycles OBJECT...: the groups of objects that need each other.
cycles() {
	nm -A -P "$@" >"$one" || exit 2
	awk '
	function visit(v,    i, n, to, w, names, count) {
		index_of[v] = low[v] = ++clock
		stack[++top] = v
		on[v] = 1
		n = split(needs[v], to, " ")
		for (i = 1; i <= n; i++) {
			w = to[i]
			if (!(w in index_of)) {
				visit(w)
				if (low[w] < low[v])
					low[v] = low[w]
			} else if (on[w] && index_of[w] < low[v])
				low[v] = index_of[w]
		}
		if (low[v] != index_of[v])
			return
		count = 0
		do {
			w = stack[top--]
			on[w] = 0
			names = names " " w
			count++
		} while (w != v)
		if (count > 1)
			tell(count, names)
	}
	function tell(count, names,    w, n, i, j, t, line) {
		n = split(names, w, " ")
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && w[j] < w[j - 1]; j--) {
				t = w[j]; w[j] = w[j - 1]; w[j - 1] = t
			}
		for (i = 1; i <= n; i++)
			line = line " " w[i]
		print "cycle of " count ":" line
	}
	{
		object = $1
		sub(/:$/, "", object)
		sub(/\.o$/, "", object)
		sub(/^.*\/middleware\/(core\/)?/, "", object)
		if (!(object in seen)) {
			seen[object] = 1
			order[++objects] = object
		}
		if ($3 == "U")
			wants[object] = wants[object] " " $2
		else if ($3 ~ /^[TDBRVWCG]$/)
			where[$2] = object
	}
	END {
		for (i = 1; i <= objects; i++) {
			n = split(wants[order[i]], want, " ")
			for (j = 1; j <= n; j++) {
				t = where[want[j]]
				if (t != "" && t != order[i])
					needs[order[i]] = needs[order[i]] " " t
			}
		}
		for (i = 1; i <= objects; i++)
			if (!(order[i] in index_of))
				visit(order[i])
	}' "$one"
}

[ $# -gt 0 ] || { echo "no objects"; exit 2; }
list=
while [ $# -gt 0 ]; do
	if [ "$1" = -- ]; then
		# shellcheck disable=SC2086
		cycles $list >>"$two"
		list=
	else
		list="$list $1"
	fi
	shift
done
# shellcheck disable=SC2086
cycles $list >>"$two"
[ -s "$two" ] || exit 0
sort -u "$two"
exit 1
