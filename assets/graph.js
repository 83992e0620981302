/*
 * The call graph: the most important functions as boxes, calls between them as
 * arrows, which are thick where much goes through. An arrow is dashed if the
 * call goes by way of functions that are not shown.
 *
 * Not where boxes stand (graph_layout.js).
 */
import { ask } from "./client.js";
import { el, refill, select, svg } from "./dom.js";
import { layGraph } from "./graph_layout.js";
import { amount, change, percent } from "./numbers.js";
import { go } from "./state.js";

const COUNTS = ["20", "40", "80"];
const NAME_MAX = 44;

let menu, picture, note, chosen = "40", last = null;

function build(panel) {
	menu = el("div", { class: "row" });
	note = el("span", { class: "note" });
	picture = el("div", { class: "graph", tabindex: "0", role: "group",
		"aria-label": "Call graph" });
	panel.append(menu, picture);
}

function text(context, left, right) {
	return context.sums.paired ? change(right - left, context.unit) : amount(left, context.unit);
}

/* What a box says, and how large it is: larger if the function itself took
 * more. */
function makeBox(context, frame) {
	const { sums, whole } = context;
	const sum = (pair) => [pair[0][frame], sums.paired ? pair[1][frame] : 0];
	const flat = sum(sums.flat), cum = sum(sums.cum);
	const share = Math.abs(flat[0] + flat[1]) / (whole || 1);
	const size = 11 + 11 * Math.sqrt(Math.min(1, share));
	const name = sums.names[frame];
	const shownName = name.length > NAME_MAX ? name.slice(0, NAME_MAX - 1) + "…" : name;
	const lines = [shownName, `${text(context, ...flat)} (${percent(flat[0] + flat[1], whole)})`];
	if (flat[0] !== cum[0] || flat[1] !== cum[1])
		lines.push(`of ${text(context, ...cum)} (${percent(cum[0] + cum[1], whole)})`);
	return { frame, name, lines, size, share,
		delta: sums.paired ? (cum[1] - cum[0]) / (cum[1] + cum[0] || 1) : 0,
		width: Math.max(...lines.map((line, i) => line.length * (i === 0 ? size * 0.58 : 6.4))) + 18,
		height: size * 1.4 + 15 * (lines.length - 1) + 10 };
}

function boxElement(context, box) {
	const open = () => go({ view: "callers", fn: box.name });
	const left = box.x - box.width / 2, top = box.y - box.height / 2;
	const rect = svg("rect", { x: left, y: top, width: box.width, height: box.height, rx: 4 });
	rect.style.setProperty("--heat", (100 * Math.sqrt(Math.min(1, box.share))).toFixed(0) + "%");
	const hit = context.search !== null && context.search.test(box.name);
	return svg("g", { class: "box" + (hit ? " hit" : "") +
	    (context.sums.paired ? box.delta < 0 ? " less" : " more" : ""),
	tabindex: "0", role: "link", "data-name": box.name, onclick: open,
	onkeydown: (event) => event.key === "Enter" && open() },
	svg("title", {}, box.name), rect,
	...box.lines.map((line, i) => svg("text", { x: box.x, "text-anchor": "middle",
		y: top + 6 + box.size + (i === 0 ? 0 : 15 * i + box.size * 0.2),
		"font-size": i === 0 ? box.size : 11 }, line)));
}

/* Draws an arrow from the lower edge of one box to the upper edge of the other.
 */
function edgeElement(context, edge, boxes) {
	const points = edge.way.map(({ x, y }) => ({ x, y }));
	const down = points[0].y < points[points.length - 1].y ? 1 : -1;
	points[0].y += down * boxes[edge.from].height / 2;
	points[points.length - 1].y -= down * (boxes[edge.to].height / 2 + 4);
	let path = `M${points[0].x.toFixed(1)} ${points[0].y.toFixed(1)}`;
	for (let i = 1; i < points.length; i++) {
		const a = points[i - 1], b = points[i], middle = (a.y + b.y) / 2;
		path += `C${a.x.toFixed(1)} ${middle.toFixed(1)} ${b.x.toFixed(1)} ` +
		    `${middle.toFixed(1)} ${b.x.toFixed(1)} ${b.y.toFixed(1)}`;
	}
	const weight = Math.abs(edge.left) + Math.abs(edge.right);
	const width = 1 + 6 * Math.sqrt(weight / (context.whole || 1));
	const a = points[points.length - 2], b = points[points.length - 1];
	return svg("g", { class: "edge" + (edge.gap ? " gap" : ""),
		"data-from": boxes[edge.from].name, "data-to": boxes[edge.to].name,
		"data-value": context.sums.paired ? edge.right - edge.left : edge.left },
	    svg("title", {}, `${boxes[edge.from].name} → ${boxes[edge.to].name}`),
	    svg("path", { d: path, "stroke-width": width.toFixed(1),
		"marker-end": "url(#arrow)" }),
	    svg("text", { x: (a.x + b.x) / 2 + 5, y: (a.y + b.y) / 2 + 4 },
		text(context, edge.left, edge.right)));
}

function showMenu(context, shown, all) {
	note.textContent = `${shown} of ${all} functions`;
	refill(menu, el("label", {}, el("span", {}, "Functions"), select({ id: "nodes",
		onchange: (event) => {
			chosen = event.target.value;
			draw(last);
		} }, COUNTS.map((n) => [n, n]), chosen)), note);
}

async function draw(context) {
	last = context;
	const found = await ask("graph", { ...context.question, count: Number(chosen) });
	if (context.stale())
		return;
	const boxes = found.frames.map((frame) => makeBox(context, frame));
	/* An edge of less than a thousandth of the whole would be a line too
	 * many. */
	const edges = found.edges.filter(({ left, right }) =>
	    Math.abs(left) + Math.abs(right) > context.whole / 1000);
	showMenu(context, boxes.length, found.all);
	if (boxes.length === 0) {
		picture.replaceChildren();
		return;
	}
	const size = layGraph(boxes, edges);
	const width = Math.ceil(size.width + 40), height = Math.ceil(size.height + 40);
	picture.replaceChildren(svg("svg", { width, height, id: "callgraph",
		viewBox: `-20 -20 ${width} ${height}` },
	svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 5, refY: 4,
		markerUnits: "userSpaceOnUse", markerWidth: 9, markerHeight: 9, orient: "auto" },
	svg("path", { d: "M0 0L8 4L0 8z" }))),
	...edges.map((edge) => edgeElement(context, edge, boxes)),
	...boxes.map((box) => boxElement(context, box))));
	const heaviest = boxes.reduce((a, b) => a.y <= b.y ? a : b);
	picture.scrollLeft = heaviest.x + 20 - picture.clientWidth / 2;
}

export const graph = { id: "graph", name: "Call graph", build, draw };
