/*
 * This gives a call graph its places: boxes in levels, callers above callees,
 * with few crossings. It knows no pixels of text and no SVG.
 *
 * There are four steps, as layered drawings are made: take back edges out, put
 * each box one level below its lowest caller, order the levels by where
 * neighbours stand, push boxes apart. An edge over several levels gets a point
 * in each level.
 *
 * Rule: the same input gives the same picture, in a bounded count of passes.
 */
const PASSES = 8;
const GAP_X = 18, GAP_Y = 46;

/* Returns the edges that do not close a circle: depth first, from the heaviest.
 */
function forwardEdges(count, edges) {
	const out = Array.from({ length: count }, () => []);
	for (const edge of edges)
		out[edge.from].push(edge);
	const state = new Uint8Array(count), kept = new Set();
	const called = new Uint8Array(count);
	for (const edge of edges)
		called[edge.to] = 1;
	function visit(start) {
		const stack = [[start, 0]];
		state[start] = 1;
		while (stack.length > 0) {
			const top = stack[stack.length - 1], edge = out[top[0]][top[1]++];
			if (edge === undefined) {
				state[top[0]] = 2;
				stack.pop();
			} else if (state[edge.to] !== 1) {
				kept.add(edge);
				if (state[edge.to] === 0) {
					state[edge.to] = 1;
					stack.push([edge.to, 0]);
				}
			}
		}
	}
	for (const roots of [true, false]) {
		for (let node = 0; node < count; node++) {
			if (state[node] === 0 && (!roots || !called[node]))
				visit(node);
		}
	}
	return kept;
}

function levels(count, kept) {
	const level = new Int32Array(count), into = new Int32Array(count);
	const out = Array.from({ length: count }, () => []);
	for (const edge of kept) {
		into[edge.to]++;
		out[edge.from].push(edge.to);
	}
	const ready = [];
	for (let node = 0; node < count; node++) {
		if (into[node] === 0)
			ready.push(node);
	}
	for (let node = ready.shift(); node !== undefined; node = ready.shift()) {
		for (const to of out[node]) {
			level[to] = Math.max(level[to], level[node] + 1);
			if (--into[to] === 0)
				ready.push(to);
		}
	}
	return level;
}

/* Makes one list of things in levels: the boxes, and the points of long edges.
 */
function things(boxes, edges, level) {
	const list = boxes.map((box, index) => ({ index, level: level[index], width: box.width,
		height: box.height, up: [], down: [], x: 0 }));
	for (const edge of edges) {
		const back = level[edge.from] > level[edge.to];
		const [high, low] = back ? [edge.to, edge.from] : [edge.from, edge.to];
		edge.way = [list[high]];
		for (let at = level[high] + 1; at < level[low]; at++) {
			const point = { index: -1, level: at, width: 6, height: 0, up: [], down: [], x: 0 };
			list.push(point);
			edge.way.push(point);
		}
		edge.way.push(list[low]);
		for (let i = 1; i < edge.way.length; i++) {
			edge.way[i - 1].down.push(edge.way[i]);
			edge.way[i].up.push(edge.way[i - 1]);
		}
		if (back)
			edge.way.reverse();
	}
	const rows = [];
	for (const thing of list)
		(rows[thing.level] ??= []).push(thing);
	return rows;
}

function place(row) {
	row.forEach((thing, at) => { thing.at = at; });
}

/* How many pairs of lines between two levels cross, over all levels. */
function crossings(rows) {
	let count = 0;
	for (const row of rows) {
		const lines = row.flatMap((thing) => thing.down.map((to) => [thing.at, to.at]));
		for (let i = 0; i < lines.length; i++) {
			for (let k = 0; k < i; k++)
				count += (lines[i][0] - lines[k][0]) * (lines[i][1] - lines[k][1]) < 0;
		}
	}
	return count;
}

/* Orders each level by the places of its neighbours: those above, then those
 * below, in turn. The turn with the fewest crossings stays. */
function order(rows) {
	rows.forEach(place);
	let best = { count: crossings(rows), rows: rows.map((row) => row.slice()) };
	for (let pass = 0; pass < PASSES && best.count > 0; pass++) {
		const down = pass % 2 === 0;
		for (const row of down ? rows : rows.slice().reverse()) {
			for (const thing of row) {
				const near = down ? thing.up : thing.down;
				thing.want = near.length === 0 ? thing.at :
				    near.reduce((sum, other) => sum + other.at, 0) / near.length;
			}
			row.sort((a, b) => a.want - b.want || a.at - b.at);
			place(row);
		}
		const count = crossings(rows);
		if (count < best.count)
			best = { count, rows: rows.map((row) => row.slice()) };
	}
	best.rows.forEach((row, level) => { rows[level] = row; });
}

/* Places a row from the middle outwards, so that a chain begins straight. */
function begin(row) {
	const all = row.reduce((sum, thing) => sum + thing.width + GAP_X, -GAP_X);
	let x = -all / 2;
	for (const thing of row) {
		thing.x = x + thing.width / 2;
		x += thing.width + GAP_X;
	}
}

/* Moves each thing as near to its wish as the order and the widths allow: runs
 * of things that touch are moved together to the mean of their wishes. */
function settle(row, wanted) {
	const offset = [], runs = [];
	row.forEach((thing, i) => {
		offset.push(i === 0 ? 0 : offset[i - 1] + GAP_X + (row[i - 1].width + thing.width) / 2);
		let run = { count: 1, weight: thing.index < 0 ? 1 : 3, mean: wanted[i] - offset[i] };
		for (let last = runs.at(-1); last !== undefined && last.mean > run.mean;
		    last = runs.at(-1)) {
			runs.pop();
			const weight = last.weight + run.weight;
			run = { count: last.count + run.count, weight,
				mean: (last.mean * last.weight + run.mean * run.weight) / weight };
		}
		runs.push(run);
	});
	let at = 0;
	for (const run of runs) {
		for (let i = 0; i < run.count; i++, at++)
			row[at].x = run.mean + offset[at];
	}
}

/* Lets each thing go to the middle of its neighbours above, or below, in turn.
 */
function spread(rows) {
	rows.forEach(begin);
	for (let pass = 0; pass < 2 * PASSES; pass++) {
		const down = pass % 2 === 1;
		for (const row of down ? rows : rows.slice().reverse())
			settle(row, row.map((thing) => {
				const near = down ? thing.up : thing.down;
				return near.length === 0 ? thing.x :
				    near.reduce((sum, other) => sum + other.x, 0) / near.length;
			}));
	}
}

/* boxes: [{ width, height }]; edges: [{ from, to }]. Sets x and y (middles) of
 * the boxes and way (points) of the edges; returns the size of the picture. */
export function layGraph(boxes, edges) {
	const level = levels(boxes.length, forwardEdges(boxes.length, edges));
	const rows = things(boxes, edges, level);
	order(rows);
	spread(rows);
	let y = 0, low = Infinity, high = -Infinity;
	for (const row of rows) {
		const height = Math.max(...row.map((thing) => thing.height));
		for (const thing of row) {
			thing.y = y + height / 2;
			low = Math.min(low, thing.x - thing.width / 2);
			high = Math.max(high, thing.x + thing.width / 2);
		}
		y += height + GAP_Y;
	}
	for (const row of rows) {
		for (const thing of row) {
			thing.x -= low;
			if (thing.index >= 0)
				Object.assign(boxes[thing.index], { x: thing.x, y: thing.y });
		}
	}
	for (const edge of edges)
		edge.way = edge.way.map(({ x, y: at, height }) => ({ x, y: at, height }));
	return { width: high - low, height: y - GAP_Y };
}
