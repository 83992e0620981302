# One script of several ES modules, so that a page asks once: each module is a
# function that is called where it stands, and gives what it exports.
#
#	awk -v shared=./app.js -f bundle.awk MODULE.js... ENTRY.js
#
# Each module stands behind those that it imports. The last one is the script's
# entry: it stays as it is, exports included. What is imported and not among the
# modules comes from `shared`, which exports all of its own as $NAME; without
# `shared`, this is that one.
#
# Not a parser: it knows the imports and exports as our modules write them, one
# a line from the left edge, and refuses others. Comments that fill their lines,
# indentation and empty lines are for whoever reads the sources.
function refuse(why)
{
	print FILENAME ":" FNR ": " why >"/dev/stderr"
	failed = 1
	exit 1
}

function stem(path)
{
	sub(/.*\//, "", path)
	sub(/[.]js$/, "", path)
	return path
}

function put(line)
{
	out[++lines] = line
}

function leave()
{
	if (name == "" || name == entry)
		return
	put("return {" exported "};")
	put("})();")
}

function enter()
{
	leave()
	name = stem(FILENAME)
	exported = ""
	if (name == entry)
		return
	seen[name] = 1
	own = own (own == "" ? "" : ", ") "$" name
	put("const $" name " = (() => {")
}

# import * as a from "./m.js";   import { b, c as d } from "./m.js";
function take(line,	module, what)
{
	if (line !~ /^import (\* as [A-Za-z]+|\{ [A-Za-z, ]+ \}) from "[.]\/[a-z_]+[.]js";$/)
		refuse("an import that is not understood")
	module = what = line
	sub(/^.* from "[.]\//, "", module)
	sub(/[.]js";$/, "", module)
	sub(/^import /, "", what)
	sub(/ from .*$/, "", what)
	sub(/^\* as /, "", what)
	gsub(/ as /, ": ", what)
	if (!(module in seen)) {
		if (shared == "")
			refuse(module ".js does not stand before it")
		if (!(module in others)) {
			others[module] = 1
			from = from (from == "" ? "" : ", ") "$" module
		}
	}
	put("const " what " = $" module ";")
}

function export_(line,	word)
{
	if (name == entry) {
		put(line)
		return
	}
	sub(/^export /, "", line)
	put(line)
	if (!sub(/^(const|(async )?function|class) /, "", line) ||
	    !match(line, /^[A-Za-z_]+/))
		refuse("an export that is not understood")
	exported = exported substr(line, 1, RLENGTH) ", "
}

BEGIN { entry = stem(ARGV[ARGC - 1]) }
FNR == 1 { enter(); inside = 0 }
/^\t*\/\*/ { inside = 1 }
inside { if ($0 ~ /\*\/$/) inside = 0; next }
{ sub(/^\t+/, "") }
$0 == "" { next }
/^import [^(]/ { take($0); next }
/^export / { export_($0); next }
{ put($0) }
END {
	if (failed)
		exit 1
	if (from != "")
		print "import {" from "} from \"" shared "\";"
	for (i = 1; i <= lines; i++)
		print out[i]
	if (shared == "" && own != "")
		print "export {" own "};"
}
