/*
 * Where each box of a flame graph lies: a tree, a focus and a width become rows
 * of boxes. This knows no canvas and no names.
 *
 * Rule: children that are too narrow to be seen are not left out. All such
 * children of a node are one box "N smaller frames", which can be zoomed into
 * as any other. If such a box would be nearly all that is seen, it is drawn
 * narrower, and the largest children become wide enough for their names;
 * `squeezed` says so.
 */

/* A box that is narrower than this many pixels has no pixel of its own. */
const MIN = 0.8;

/* If a box is at least ROOM wide and its children that are seen fill less than
 * SEEN of it, the largest children are made to fill FILLED of it, each at least
 * WIDE. */
const ROOM = 240, SEEN = 0.25, FILLED = 0.75, WIDE = 24;

/* One row: the boxes' nodes, places and widths. A node below 0 is a group: the
 * children of ~node from index `from` on. */
class Row {
	constructor() {
		this.node = [];
		this.from = [];
		this.x = [];
		this.width = [];
	}

	add(node, from, x, width) {
		this.node.push(node);
		this.from.push(from);
		this.x.push(x);
		this.width.push(width);
	}
}

function groupWeight(tree, parent, from) {
	const first = tree.first[parent], last = first + tree.kids[parent];
	let sum = 0;
	for (let kid = first + from; kid < last; kid++)
		sum += tree.weight[kid];
	return sum;
}

/* The weight of a box, which is a node or a group. */
export function boxWeight(tree, node, from) {
	return node >= 0 ? tree.weight[node] : groupWeight(tree, ~node, from);
}

/* Counts the children from index `from` on that are at least `least` wide if
 * `room(sum)` is the scale for the sum of their weights; returns that sum, too.
 */
function countWide(tree, parent, from, least, room) {
	const first = tree.first[parent], kids = tree.kids[parent];
	let count = 0, sum = 0;
	while (from + count < kids) {
		const weight = tree.weight[first + from + count];
		if (weight * room(sum + weight) < least)
			break;
		sum += weight;
		count++;
	}
	return { count, sum };
}

/* Lays the children of `parent` from index `from` on over `width` pixels, which
 * stand for `weight`. Returns whether the smaller frames had to be squeezed. */
function layChildren(tree, row, { parent, from, x, width, weight }, next) {
	const first = tree.first[parent];
	let scale = width / weight, at = x;
	let wide = countWide(tree, parent, from, MIN, () => scale);
	const squeezed = from + wide.count < tree.kids[parent] && width >= ROOM &&
	    wide.sum * scale < SEEN * width;
	if (squeezed) {
		wide = countWide(tree, parent, from, WIDE, (sum) => FILLED * width / sum);
		scale = FILLED * width / wide.sum;
	}
	for (let node = first + from; node < first + from + wide.count; node++) {
		const own = tree.weight[node] * scale;
		row.add(node, 0, at, own);
		next.push(node, at, own);
		at += own;
	}
	const index = from + wide.count;
	if (index < tree.kids[parent])
		row.add(~parent, index, at, squeezed ? x + width - at :
		    Math.max(groupWeight(tree, parent, index) * scale, MIN));
	return squeezed;
}

/* The nodes on the way from the root to a node. */
export function ancestors(tree, node) {
	const path = [];
	for (; node >= 0; node = tree.parent[node])
		path.unshift(node);
	return path;
}

/*
 * focus is { node, from }, as a box has them. The rows are the ancestors of the
 * focus, each over the whole width, then the focus itself, then what is below
 * it. If `squeezed` is set, the widths are not all of one scale.
 */
export function layout(tree, focus, width) {
	const rows = [], path = ancestors(tree, focus.node >= 0 ? focus.node : ~focus.node);
	function rowAt(depth) {
		return rows[depth] ??= new Row();
	}
	for (const node of path)
		rowAt(rows.length).add(node, 0, 0, width);
	const top = path[path.length - 1], next = [];
	if (focus.node < 0)
		rowAt(rows.length).add(focus.node, focus.from, 0, width);
	const weight = boxWeight(tree, focus.node, focus.from);
	let depth = rows.length, level = [], squeezed = false;
	if (weight > 0)
		squeezed = layChildren(tree, rowAt(depth), { parent: top, from: focus.from, x: 0,
			width, weight }, next);
	for (level = next.splice(0); level.length > 0; level = next.splice(0)) {
		depth++;
		for (let i = 0; i < level.length; i += 3) {
			const parent = level[i];
			if (tree.kids[parent] > 0 && layChildren(tree, rowAt(depth), { parent,
				from: 0, x: level[i + 1], width: level[i + 2],
				weight: tree.weight[parent] }, next))
				squeezed = true;
		}
	}
	return { rows: rows.filter((row) => row.node.length > 0), squeezed,
		focusRow: path.length - 1 + (focus.node < 0 ? 1 : 0) };
}

/* Returns the index of the box at a place of a row, or -1. Boxes are in order.
 */
export function boxAt(row, x) {
	let low = 0, high = row.x.length - 1;
	while (low <= high) {
		const middle = low + high >> 1;
		if (x < row.x[middle])
			high = middle - 1;
		else if (x >= row.x[middle] + row.width[middle])
			low = middle + 1;
		else
			return middle;
	}
	return -1;
}

/* The weight that the search has found: the sum of the outermost frames that
 * match. */
export function matchedWeight(tree, hits) {
	const under = new Uint8Array(tree.count);
	let sum = 0;
	for (let node = 1; node < tree.count; node++) {
		if (under[tree.parent[node]]) {
			under[node] = 1;
		} else if (hits[tree.frame[node]]) {
			under[node] = 1;
			sum += tree.weight[node];
		}
	}
	return sum;
}
