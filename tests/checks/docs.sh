#!/bin/sh
# The documents say what the code has: every option, endpoint, loss and
# comment of the code is in them, and what they name (files, links, pp_ names,
# options, floors) is there. So is what comments of C name. Whether a sentence is
# true is not checked.
cd "$(dirname "$0")/../.." || exit 2
core=middleware/core
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
docs=$(find README.md docs -name '*.md' | LC_ALL=C sort) || exit 2

# has WHAT LIST: an empty list means that this script reads the code wrongly.
has() {
	[ -s "$2" ] || { echo "found no $1 in the code"; exit 2; }
}

# Options of the environment: string literals that begin with PPROF_.
grep -rhoE '"PPROF_[A-Z_]*[A-Z]' middleware | tr -d '"' | sort -u >"$work/options"
has options "$work/options"
while read -r name; do
	grep -qF "\`$name\`" docs/operations.md ||
		echo "docs/operations.md: option $name is missing"
done <"$work/options" >"$work/bad"
# shellcheck disable=SC2086
grep -hoE 'PPROF_[A-Z_]*[A-Z]' $docs | sort -u |
	grep -vxF -f "$work/options" |
	sed 's/$/ is named, but is no option/' >>"$work/bad"

# Defaults and ranges of the options that are numbers, from their table.
{
	printf '#include <inttypes.h>\n#include <stdio.h>\n'
	printf '#include "base/limits.h"\nint main(void)\n{\n'
	sed -n '/^} rates\[\] = {/,/^};/p' middleware/kore/start/given.c |
		tr -d '\n\t' | grep -oE '\{ "PPROF_[^}]*\}' |
		sed -E 's/\{ ("[A-Z_]*"), "[^"]*", ([^,]*), *([^,]*), *([^,]*),.*/printf("%s %llu %llu %llu\\n", \1, (unsigned long long)(\2), (unsigned long long)(\3), (unsigned long long)(\4));/'
	printf 'return (0);\n}\n'
} >"$work/rates.c"
cc -I"$core" -o "$work/rates" "$work/rates.c" && "$work/rates" >"$work/numbers"
has 'ranges of options' "$work/numbers"
while read -r name preset least most; do
	[ "$least" != 0 ] || least='0 (off)'
	range=$(echo "$least" | sed 's/[()]/\\&/g')
	grep -qE "^\| \`$name\` \| .*$range to $most \| $preset \|" \
		docs/operations.md ||
		echo "docs/operations.md: $name is $least to $most, $preset at first"
	grep -qE "^\| \`$name\` \| .* \| $preset \|$" README.md ||
		echo "README.md: $name is $preset at first"
	paragraph=$(sed -n "/^\.It Ev $name\$/,/^\.It Ev PPROF_[^Z]*/{/^\.It Ev/!p;}" \
		docs/man/pprof.so.8 | sed '/^\.El/q' | tr '\n' ' ')
	[ "$preset" != 0 ] || preset='0 (off, the default)'
	case $paragraph in
	*"$preset"*" to $most"* | *" to $most"*"default is $preset."*) ;;
	*) echo "docs/man/pprof.so.8: $name is 0 to $most, $preset at first" ;;
	esac
done <"$work/numbers" >>"$work/bad"

# The rules of the sandbox: the table of the code, row by row.
{
	printf '#include <errno.h>\n#include <fcntl.h>\n#include <stdio.h>\n'
	printf '#include <sys/mman.h>\n#include <sys/resource.h>\n'
	printf '#include <limits.h>\n#include <sys/socket.h>\n'
	printf '#include <linux/perf_event.h>\n#include "kore/start/sandbox_rules.h"\n'
	cat <<-'EOT'
		#define ALWAYS ""
		#define PERF "`PPROF_PERF_EVENT=1`"
		#define ROW(call, when, answer, argument, value, name, why) \
			printf("| %s | ", #call); \
			if (argument != -1) \
				printf("argument %d is %lu, %s%s", argument, \
				    (unsigned long)(value), name, when[0] ? "; " : ""); \
			printf("%s | %s | %s |\n", when, answer != 0 ? #answer : "", why);
		int main(void)
		{
			PP_SANDBOX_RULES(ROW)
			return (0);
		}
	EOT
} >"$work/rules.c"
cc -D_GNU_SOURCE -Imiddleware -o "$work/rules" "$work/rules.c" &&
	"$work/rules" >"$work/rows"
has 'rules of the sandbox' "$work/rows"
sed -n "/^### The rules added to Kore's/,/^## /s/^| [a-z].*/&/p" docs/design.md |
	grep -v '^| call |' | diff "$work/rows" - |
	sed -n 's/^[<>]/docs\/design.md and sandbox_rules.h differ:/p' >>"$work/bad"

# Ranges of parameters of queries: where, as it stands there.
{
	printf '#include <stdio.h>\n#include "base/limits.h"\nint main(void)\n{\n'
	while IFS='|' read -r file text values; do
		printf 'printf("%s|%s\\n", %s);\n' "$file" "$text" "$values"
	done <<-'EOT'
		README.md|`seconds=` \x7c 1 to %d \x7c %d|PP_SECONDS_MAX, PP_SECONDS_DEFAULT
		README.md|`hz=` \x7c %d to %d \x7c %d|PP_HZ_MIN, PP_HZ_MAX, PP_HZ_DEFAULT
		docs/man/pprof.so.8|(1 to %d, %d)|PP_SECONDS_MAX, PP_SECONDS_DEFAULT
		docs/man/pprof.so.8|(%d to %d, %d)|PP_HZ_MIN, PP_HZ_MAX, PP_HZ_DEFAULT
		docs/man/pprof.so.8|(up to %d, 1)|PP_TRACE_SECONDS_MAX
		docs/man/pprof.so.8|(bytes, %d to %d, %d)|PP_TRACE_BYTES_MIN, PP_TRACE_BYTES_MAX, PP_TRACE_BYTES_DEFAULT
		docs/formats.md|at most %d)|PP_TRACE_SECONDS_MAX
		docs/formats.md|(bytes, %d to %d, default %d)|PP_TRACE_BYTES_MIN, PP_TRACE_BYTES_MAX, PP_TRACE_BYTES_DEFAULT
	EOT
	printf 'return (0);\n}\n'
} >"$work/ranges.c"
cc -I"$core" -o "$work/ranges" "$work/ranges.c" &&
	"$work/ranges" >"$work/expected"
has 'ranges of parameters' "$work/expected"
while IFS='|' read -r file text; do
	grep -qF -- "$text" "$file" || echo "$file: $text is not in it"
done <"$work/expected" >>"$work/bad"

# Parameters of queries: every name that the service asks for.
find $core/service -name '*.c' -exec cat {} + | tr -d '\n\t' | grep -oE \
	'(pp_query_get|named_number|recorded_number)\([^;]*"[a-z_]+"' |
	sed -E 's/.*"([a-z_]+)"$/\1/' | sort -u >"$work/parameters"
has parameters "$work/parameters"
while read -r name; do
	# shellcheck disable=SC2086
	grep -qE "(^|[^a-z_])$name=" $docs ||
		echo "no document has the parameter $name="
done <"$work/parameters" >>"$work/bad"

# The manual pages: every option, every function of the public header.
while read -r name; do
	grep -q "^\.It Ev $name\$" docs/man/pprof.so.8 ||
		echo "docs/man/pprof.so.8: option $name is missing"
done <"$work/options" >>"$work/bad"
sed -n '/^#if defined(__cplusplus)/,/^#if !defined(PPROF_NO_SHIM)/p' \
	middleware/include/pprof.h | grep -oE '^[a-z].*[ *]pprof_[a-z_]+\(' |
	sed -E 's/.*[ *](pprof_[a-z_]+)\(/\1/' | sort -u >"$work/functions"
has functions "$work/functions"
while read -r name; do
	grep -q "^\.Fn $name " docs/man/pprof.h.3 ||
		echo "docs/man/pprof.h.3: function $name is missing"
done <"$work/functions" >>"$work/bad"

# Errors: of each comment of the header, and below ERRORS in the manual page.
awk '/^ \* pprof_[a-z_, ]* - |^ \* pprof_.*,$/ { block = $2; sub(/,$/, "", block) }
	/^ \*\// { block = "" }
	block != "" { while (match($0, /[^A-Z]E[A-Z][A-Z]+/)) {
		print block, substr($0, RSTART + 1, RLENGTH - 1)
		$0 = substr($0, RSTART + RLENGTH) } }' \
	middleware/include/pprof.h | sort -u >"$work/errors"
has errors "$work/errors"
awk '/^\.Sh / { errors = $2 == "ERRORS" }
	errors && /^\.Ss / { block = $2; sub(/_(add|remove)$/, "_new", block) }
	errors && block != "" && /^\.It Bq Er / { print block, $4 }' \
	docs/man/pprof.h.3 | sort -u >"$work/told"
diff "$work/errors" "$work/told" | sed -n 's/^[<>]/errors of pprof.h and docs\/man\/pprof.h.3 differ:/p' >>"$work/bad"

# Headers of proxies: each of the rule's table, in the list of who may ask.
sed -n '/^const char \*const pp_allow_proxies/,/NULL/p' $core/base/allow.c |
	grep -oE '"[^"]+"' | tr -d '"' >"$work/proxies"
has 'headers of proxies' "$work/proxies"
sed -n '/^\*\*A proxy.s headers\*\*/,/^$/p' docs/operations.md |
	grep -oE '`[^`]+`' | tr -d '`' | grep -vx '\*' | diff "$work/proxies" - |
	sed -n 's/^[<>]/docs\/operations.md: headers of proxies differ:/p' \
	    >>"$work/bad"

# Endpoints: the name in each row of the table.
sed -n 's/^[[:space:]]*{\( \.name =\)\{0,1\} "\([^"]*\)".*/\2/p' \
	$core/service/endpoints.c |
	sed 's,/$,,' >"$work/endpoints"
has endpoints "$work/endpoints"
while read -r name; do
	# shellcheck disable=SC2086
	grep -qE "\`/${name}[\`/]" $docs ||
		echo "no document has the endpoint \`/$name\`"
done <"$work/endpoints" >>"$work/bad"

# The manual page has them, too, but for what the pages ask for themselves.
grep -vx assets "$work/endpoints" | while read -r name; do
	grep -qE "^\.It Pa /$name( |\$)" docs/man/pprof.so.8 ||
		echo "docs/man/pprof.so.8: endpoint /$name is missing"
done >>"$work/bad"

# The newest version of the packages has its heading.
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' conf/debian/changelog)
grep -qxF "## $version" docs/changes.md ||
	echo "docs/changes.md: no heading of version $version" >>"$work/bad"

# Forms of a profile: the name in each row of the table.
sed -n '/^static const struct pp_format formats/,/^};/s/^[[:space:]]*{ "\([a-z]*\)".*/\1/p' \
	$core/service/endpoints/format.c >"$work/formats"
has formats "$work/formats"
while read -r name; do
	grep -qF "\`format=$name\`" docs/formats.md ||
		echo "docs/formats.md: format=$name is missing"
done <"$work/formats" >>"$work/bad"

# Losses and other comments of a profile.
grep -oE '^[[:space:]]*X\([A-Z_]+, "[a-z_]+"' $core/base/loss.h |
	sed 's/.*"\(.*\)"/\1/' >"$work/keys"
has losses "$work/keys"
grep -rhoE 'pp_profile_comment\([^"]*"[a-z_]+=' $core |
	sed 's/.*"\(.*\)=/\1/' >"$work/more"
has comments "$work/more"
sort -u "$work/more" >>"$work/keys"
while read -r key; do
	grep -qF "\`$key\`" docs/formats.md ||
		echo "docs/formats.md: comment $key is missing"
done <"$work/keys" >>"$work/bad"

# Floors: each row of floors.sh is a row of the table in design.md.
sed -n '/^floors="/,/^"/p' tests/checks/floors.sh |
	grep -E '^(core|kore)' >"$work/floors"
has floors "$work/floors"
while read -r floor may; do
	grep -qF "| \`$floor\` | ${may:-nothing} |" docs/design.md ||
		echo "docs/design.md: floor $floor may include: ${may:-nothing}"
done <"$work/floors" >>"$work/bad"

# quoted PATTERN: what matches it within `...`, as "document match" lines.
# shellcheck disable=SC2086
grep -HoE '`[^`]+`' $docs >"$work/quoted"
quoted() {
	awk -v pattern="$1" '{
		file = text = $0
		sub(/:.*/, "", file)
		sub(/^[^:]*:/, "", text)
		while (match(text, pattern)) {
			print file, substr(text, RSTART, RLENGTH)
			text = substr(text, RSTART + RLENGTH)
		}
	}' "$work/quoted" | sort -u
}

# C as two lists of lines: comments, each behind its file's name, and the code.
find middleware -name '*.[ch]' -exec awk -v comments="$work/comments" '
	FNR == 1 { inside = 0 }
	{
		line = $0
		while (line != "") {
			at = index(line, inside ? "*/" : "/*")
			text = at ? substr(line, 1, at - 1) : line
			if (inside)
				print FILENAME " " text >comments
			else
				print text
			if (!at)
				break
			inside = !inside
			line = substr(line, at + 2)
		}
	}' {} + >"$work/code"
has comments "$work/comments"

# Names of the code, and those that its comments have.
grep -oE '\b(pp|PP)_[A-Za-z0-9_]+' "$work/code" | sort -u >"$work/names"
has names "$work/names"
awk 'NR == FNR { there[$1]; next }
	{
		file = $1
		while (match($0, /(^|[^A-Za-z0-9_])(pp|PP)_[A-Za-z0-9_]+/)) {
			name = substr($0, RSTART, RLENGTH)
			sub(/^[^A-Za-z]/, "", name)
			if (!(name in there))
				print file ": a comment names " name ", which is nowhere"
			$0 = substr($0, RSTART + RLENGTH)
		}
	}' "$work/names" "$work/comments" >>"$work/bad"

# Files that comments of C name: with a path, or by their names alone. One of
# other projects stands in <...>; "name.c:7" is a place in a text, "a.b.c" an
# address.
find middleware tests kore_app/src assets -type f |
	awk '{ path = $0; sub(/.*\//, ""); print $0; print path
		sub(/^middleware\//, "", path); print path
		sub(/^core\//, "", path); print path }' | sort -u >"$work/files"
awk 'NR == FNR { there[$1]; next }
	{
		file = $1
		$1 = ""
		while (match($0, /[<A-Za-z0-9_.\/*-]*[A-Za-z0-9_*][.][ch]([^A-Za-z0-9_]|$)/)) {
			name = substr($0, RSTART, RLENGTH)
			$0 = substr($0, RSTART + RLENGTH)
			last = substr(name, length(name))
			sub(/[^A-Za-z0-9_]$/, "", name)
			if (name ~ /^<|[*]|[.].*[.]/ || last == ":" && $0 ~ /^[0-9]/ ||
			    name in there)
				continue
			print file ": a comment names " name ", which is no file"
		}
	}' "$work/files" "$work/comments" >>"$work/bad"

quoted '(^|[^A-Za-z0-9_])(pp|PP)_[A-Za-z0-9_]+' |
	sed -E 's/ [^A-Za-z0-9_]?((pp|PP)_)/ \1/; s/ +/ /' |
	awk 'NR == FNR { there[$1]; next }
	!($2 in there) { print $1 ": " $2 " is nowhere in the code" }' \
	    "$work/names" - >>"$work/bad"

# Files: paths of two and more parts, from the top, from middleware or from
# middleware/core. What is built is not in the tree, nor is what is absolute.
quoted '[A-Za-z0-9_./-]*/[A-Za-z0-9_.-]*[.](cc|c|h|sh|py|md|conf|html|css|js|mjs|svg|proto|mk)' |
	while read -r file path; do
		case $path in /* | ./*) continue ;; esac
		[ -e "$path" ] || [ -e "middleware/$path" ] ||
			[ -e "$core/$path" ] ||
			echo "$file: there is no file $path"
	done >>"$work/bad"

# Headings as the anchors that they make.
anchors() {
	sed -n 's/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' |
		sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# Links to files and headings.
# shellcheck disable=SC2086
grep -HoE '\]\([^)]+\)' $docs | sed -E 's/^([^:]*):\]\((.*)\)$/\1 \2/' |
	while read -r file target; do
		case $target in http:* | https:* | mailto:*) continue ;; esac
		to=$(dirname "$file")/${target%%#*}
		[ -n "${target%%#*}" ] || to=$file
		if [ ! -e "$to" ]; then
			echo "$file: the link to $target is dead"
		elif [ "$target" != "${target#*#}" ] &&
		    ! anchors "$to" | grep -qxF -e "${target#*#}"; then
			echo "$file: $target: there is no such heading"
		fi
	done >>"$work/bad"

# What takes long: each target has its last run, or that it was not run.
sed -n '/^TARGETS = /,/^\]/s/^ *"\([a-z0-9-]*\)",$/\1/p' \
	tests/bench/long_runs.py >"$work/long"
has 'long targets' "$work/long"
while read -r name; do
	grep -qE "^\| \`make $name\` \| .+ \|$" docs/bench.md ||
		echo "docs/bench.md: no last run of make $name, nor 'not run'"
done <"$work/long" >>"$work/bad"

# A decision that nobody links to is not found.
for file in docs/decisions/*.md; do
	grep -qF "(decisions/${file##*/})" docs/design.md ||
		echo "docs/design.md: no link to $file"
done >>"$work/bad"

[ -s "$work/bad" ] || exit 0
sort -u "$work/bad"
exit 1
