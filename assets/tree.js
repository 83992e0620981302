/*
 * This turns samples into a call tree for the flame graph: a table of nodes in
 * columns, the children of a node side by side, the widest first. It runs in
 * the Worker.
 *
 * Not drawing: flame.js says how wide a node is on a screen.
 *
 * Rule: there is no object for a node. A profile of 30,000 distinct stacks has
 * 668,000 nodes, and has to be open in seconds.
 *
 * If two profiles are compared, or if a difference holds both signs, a node has
 * two values, `left` and `right`: before and after, freed and grown.
 */

/* Nodes as they are found, by (parent, frame) in a hash table. */
class Nodes {
	constructor(paired) {
		this.length = 0;
		this.paired = paired;
		this.parent = new Int32Array(1024);
		this.frame = new Int32Array(1024);
		this.left = new Float64Array(1024);
		this.right = new Float64Array(paired ? 1024 : 1);
		this.selfLeft = new Float64Array(1024);
		this.selfRight = new Float64Array(paired ? 1024 : 1);
		this.table = new Int32Array(4096);
		this.add(-1, -1);
	}

	add(parent, frame) {
		if (this.length === this.parent.length)
			this.grow();
		this.parent[this.length] = parent;
		this.frame[this.length] = frame;
		return this.length++;
	}

	grow() {
		const columns = ["parent", "frame", "left", "selfLeft"];
		if (this.paired)
			columns.push("right", "selfRight");
		for (const name of columns) {
			const old = this[name];
			this[name] = new old.constructor(2 * old.length);
			this[name].set(old);
		}
	}

	place(parent, frame) {
		const mask = this.table.length - 1;
		let at = Math.imul(Math.imul(parent, 0x9e3779b1) ^ frame, 0x85ebca6b);
		at = (at ^ at >>> 15) & mask;
		for (;; at = at + 1 & mask) {
			const node = this.table[at];
			if (node === 0 || this.parent[node] === parent && this.frame[node] === frame)
				return at;
		}
	}

	child(parent, frame) {
		let at = this.place(parent, frame);
		if (this.table[at] !== 0)
			return this.table[at];
		if (2 * this.length > this.table.length) {
			this.table = new Int32Array(4 * this.table.length);
			for (let node = 1; node < this.length; node++)
				this.table[this.place(this.parent[node], this.frame[node])] = node;
			at = this.place(parent, frame);
		}
		const node = this.add(parent, frame);
		this.table[at] = node;
		return node;
	}
}

/* Calls step(frame) for each frame of a sample, the root or the leaf first. */
export function walkStack(profile, names, sample, leafFirst, step) {
	const { stack, stackAt, first, frame } = profile;
	const begin = stackAt[sample], end = stackAt[sample + 1];
	for (let i = begin; i < end; i++) {
		const location = stack[leafFirst ? i : begin + end - 1 - i];
		const low = first[location], high = first[location + 1];
		for (let k = low; k < high; k++) {
			const at = leafFirst ? k : low + high - 1 - k;
			step(names === null ? frame[at] : names[frame[at]], at);
		}
	}
}

/*
 * Calls take(side, value, profile, names, sample) for each sample that counts.
 * A side is { profile, names, type, mask, scale }; see worker.js.
 */
export function eachSample(view, take) {
	for (const [index, side] of view.sides.entries()) {
		const { profile, names, type, mask, scale } = side;
		const types = profile.types.length;
		for (let sample = 0; sample < profile.count; sample++) {
			const value = profile.values[sample * types + type] * scale;
			if (value === 0 || mask !== null && mask[sample] === 0)
				continue;
			if (view.signed)
				take(value < 0 ? 0 : 1, Math.abs(value), profile, names, sample);
			else
				take(index, value, profile, names, sample);
		}
	}
}

export function buildTree(view, inverted) {
	const nodes = new Nodes(view.paired);
	let node = 0;
	let side = 0, value = 0;
	function add() {
		if (side === 0)
			nodes.left[node] += value;
		else
			nodes.right[node] += value;
	}
	function step(frame) {
		node = nodes.child(node, frame);
		add();
	}
	eachSample(view, (which, amount, profile, names, sample) => {
		side = which;
		value = amount;
		node = 0;
		add();
		walkStack(profile, names, sample, inverted, step);
		if (side === 0)
			nodes.selfLeft[node] += value;
		else
			nodes.selfRight[node] += value;
	});
	return arrange(nodes);
}

/* A node's width shows both sides, so that a node does not vanish that only one
 * side has. */
function weights(nodes) {
	const weight = new Float64Array(nodes.length);
	for (let node = 0; node < nodes.length; node++)
		weight[node] = Math.abs(nodes.left[node]) +
		    (nodes.paired ? Math.abs(nodes.right[node]) : 0);
	return weight;
}

/* The children of old node n are list[at[n]] to list[at[n + 1]]. */
function childLists(nodes) {
	const at = new Int32Array(nodes.length + 1), list = new Int32Array(nodes.length);
	for (let node = 1; node < nodes.length; node++)
		at[nodes.parent[node] + 1]++;
	for (let node = 0; node < nodes.length; node++)
		at[node + 1] += at[node];
	const next = at.slice();
	for (let node = 1; node < nodes.length; node++)
		list[next[nodes.parent[node]]++] = node;
	return { at, list };
}

/* Numbers the nodes anew, level by level, the children of a node together. */
function arrange(nodes) {
	const count = nodes.length, weight = weights(nodes);
	const { at, list } = childLists(nodes);
	const order = new Int32Array(count), depth = new Uint16Array(count);
	const tree = { count, paired: nodes.paired, depth: 0,
		parent: new Int32Array(count), frame: new Int32Array(count),
		first: new Int32Array(count), kids: new Int32Array(count),
		weight: new Float64Array(count), left: new Float64Array(count),
		self: new Float64Array(count),
		right: new Float64Array(nodes.paired ? count : 0),
		selfRight: new Float64Array(nodes.paired ? count : 0) };
	let used = 1;
	tree.parent[0] = -1;
	for (let to = 0; to < count; to++) {
		const from = order[to];
		tree.frame[to] = nodes.frame[from];
		tree.weight[to] = weight[from];
		tree.left[to] = nodes.left[from];
		tree.self[to] = nodes.selfLeft[from];
		if (nodes.paired) {
			tree.right[to] = nodes.right[from];
			tree.selfRight[to] = nodes.selfRight[from];
		}
		const kids = list.subarray(at[from], at[from + 1]);
		if (kids.length > 1)
			kids.sort((a, b) => weight[b] - weight[a] || nodes.frame[a] - nodes.frame[b]);
		tree.first[to] = used;
		tree.kids[to] = kids.length;
		for (const kid of kids) {
			tree.parent[used] = to;
			depth[used] = Math.min(depth[to] + 1, 65535);
			order[used++] = kid;
		}
	}
	tree.depth = depth[count - 1];
	return tree;
}

/* The arrays that are handed over to the page instead of copied. */
export function treeBuffers(tree) {
	return ["parent", "frame", "first", "kids", "weight", "left", "self", "right", "selfRight"]
	    .map((name) => tree[name].buffer);
}
