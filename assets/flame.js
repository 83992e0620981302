/*
 * The flame graph: a box for each call path, as wide as its share, callers
 * above callees. If inverted, it begins at the functions that ran and goes up
 * to their callers. Mouse, touch and keyboard; zoom and search.
 *
 * Not layout (layout.js) and not pixels (paint.js).
 *
 * Rule: a canvas says nothing to people who cannot see it. So each step of the
 * cursor is one sentence in the live region, and Top has the same numbers.
 */
import { ask } from "./client.js";
import { el, ours, say } from "./dom.js";
import { ancestors, boxAt, boxWeight, layout, matchedWeight } from "./layout.js";
import { amount, change, percent } from "./numbers.js";
import { objectColour, onTheme, Painter, ROW } from "./paint.js";
import { brief, go } from "./state.js";

let canvas, painter, scroller, spacer, tip, detail, legend, invert, squeezed;
let context = null, tree = null, treeKey = "", place = null, hits = null, cursor = null;
let focus = { node: 0, from: 0 }, frameAsked = false;

function build(panel) {
	canvas = el("canvas", { id: "flame", tabindex: "0", role: "application",
		"aria-label": "Flame graph. Arrow keys move, Enter zooms, Escape zooms out. " +
		"The tab Top has the same numbers as a table.", "aria-describedby": "detail" });
	painter = new Painter(canvas);
	spacer = el("div", { class: "spacer" }, canvas);
	scroller = el("div", { class: "scroller", onscroll: repaint }, spacer);
	tip = el("div", { class: "tip", hidden: true });
	detail = el("p", { id: "detail", class: "detail" });
	legend = el("ul", { class: "legend", "aria-label": "Colours" });
	squeezed = el("span", { class: "note", hidden: true }, "Hatched boxes are drawn narrower " +
	    "than they are: so much is in small frames. Click one to see those in it.");
	invert = el("input", { type: "checkbox", id: "invert",
		onchange: () => go({ inv: invert.checked, zoom: "" }) });
	panel.append(el("div", { class: "row" },
	    el("label", { class: "check" }, invert, el("span", {}, "Inverted: callees on top")),
	    squeezed, legend), detail, scroller, tip);
	canvas.addEventListener("pointermove", hover);
	canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
	canvas.addEventListener("click", click);
	canvas.addEventListener("keydown", key);
	new ResizeObserver(() => arrange()).observe(scroller);
	onTheme(() => { showLegend(); repaint(); });
}

/* The focus as the address has it: the shortened names on the way from the
 * root. "+3" at the end is the group of children from the third on. */
function focusText({ node, from }) {
	const path = ancestors(tree, node >= 0 ? node : ~node).slice(1)
	    .map((step) => brief(context.sums.names[tree.frame[step]]));
	if (node < 0)
		path.push("+" + from);
	return path.join(".");
}

function focusFrom(text) {
	let node = 0;
	for (const step of text === "" ? [] : text.split(".")) {
		const first = tree.first[node], kids = tree.kids[node];
		if (step.startsWith("+")) {
			const from = Number(step.slice(1));
			return from < kids ? { node: ~node, from } : { node, from: 0 };
		}
		let kid = first;
		while (kid < first + kids && brief(context.sums.names[tree.frame[kid]]) !== step)
			kid++;
		if (kid === first + kids)
			break;
		node = kid;
	}
	return { node, from: 0 };
}

function showLegend() {
	if (context === null)
		return;
	if (context.sums.paired) {
		const [less, more] = context.sums.signed ? ["freed", "grown"] : ["less now", "more now"];
		legend.replaceChildren(el("li", {}, el("i", { class: "less" }), less),
		    el("li", {}, el("i", { class: "more" }), more));
		return;
	}
	const { hue, order } = painter.rank;
	legend.replaceChildren(...order.slice(0, 7).map((object) => {
		const dot = el("i");
		dot.style.background = objectColour(hue[object.index]);
		return el("li", { title: percent(object.weight, context.whole) }, dot,
		    object.name === "?" ? "unknown" : object.name);
	}));
}

function arrange() {
	if (tree === null || scroller.clientWidth === 0)
		return;
	const width = scroller.clientWidth;
	place = layout(tree, focus, width);
	spacer.style.height = place.rows.length * ROW + "px";
	painter.resize(width, Math.min(scroller.clientHeight, place.rows.length * ROW));
	canvas.dataset.boxes = place.rows.reduce((sum, row) => sum + row.node.length, 0);
	squeezed.hidden = !place.squeezed;
	cursor = null;
	paint();
}

function repaint() {
	if (frameAsked)
		return;
	frameAsked = true;
	requestAnimationFrame(() => {
		frameAsked = false;
		paint();
	});
}

function paint() {
	if (place === null)
		return;
	painter.draw({ layout: place, top: scroller.scrollTop, width: scroller.clientWidth,
		height: canvas.clientHeight, hits, cursor });
}

/* "fib: 1.2 s (34.0 %), itself 0.9 s; fib.c in kore_app.so" */
function sentence(node, from) {
	const { sums, unit, whole } = context;
	const name = painter.name(node, from), weight = boxWeight(tree, node, from);
	if (node < 0)
		return `${name}: ${amount(weight, unit)} (${percent(weight, whole)}) together`;
	let text = `${name}: `;
	if (!sums.paired)
		text += `${amount(tree.left[node], unit)} (${percent(weight, whole)}), ` +
		    `itself ${amount(tree.self[node], unit)}`;
	else if (sums.signed)
		text += `${change(tree.right[node] - tree.left[node], unit)} net ` +
		    `(${change(tree.right[node], unit)}, ${change(-tree.left[node], unit)})`;
	else
		text += `${amount(tree.left[node], unit)} before, ${amount(tree.right[node], unit)} ` +
		    `now, ${change(tree.right[node] - tree.left[node], unit)}`;
	if (node > 0) {
		const frame = tree.frame[node], file = sums.files[frame];
		const object = sums.objects[sums.objectOf[frame]];
		text += `; ${file ? file + " in " : ""}${object === "?" ? "an unknown file" : object}`;
	}
	return text;
}

function showDetail(node, from) {
	const text = sentence(node, from);
	const more = [];
	if (node > 0)
		more.push(" ", el("button", { type: "button", class: "quiet",
			onclick: () => go({ view: "callers",
				fn: context.sums.names[tree.frame[node]] }) }, "Callers and callees"));
	if (focus.node !== 0)
		more.push(" ", el("button", { type: "button", class: "quiet",
			onclick: () => go({ zoom: "" }) }, "Zoom out"));
	detail.replaceChildren(text.length > 600 ? text.slice(0, 600) + "…" : text, ...more);
}

function under(event) {
	const box = canvas.getBoundingClientRect();
	const row = Math.floor((event.clientY - box.top + scroller.scrollTop) / ROW);
	if (place === null || row < 0 || row >= place.rows.length)
		return null;
	const found = boxAt(place.rows[row], event.clientX - box.left);
	return found < 0 ? null : { row, box: found };
}

function hover(event) {
	const at = under(event);
	tip.hidden = at === null || event.pointerType === "touch";
	if (tip.hidden)
		return;
	const row = place.rows[at.row];
	const text = sentence(row.node[at.box], row.from[at.box]);
	tip.textContent = text.length > 600 ? text.slice(0, 600) + "…" : text;
	tip.style.left = Math.max(4, Math.min(event.clientX + 14,
	    innerWidth - tip.offsetWidth - 8)) + "px";
	tip.style.top = Math.min(event.clientY + 18, innerHeight - tip.offsetHeight - 8) + "px";
}

function zoom(at) {
	const row = place.rows[at.row];
	go({ zoom: focusText({ node: row.node[at.box], from: row.from[at.box] }) });
}

function click(event) {
	const at = under(event);
	if (at !== null)
		zoom(at);
}

/* Where an arrow key leads: up and down by place, left and right in the row. */
function moved(from, name) {
	const row = place.rows[from.row];
	if (name === "ArrowLeft" || name === "ArrowRight") {
		const box = from.box + (name === "ArrowLeft" ? -1 : 1);
		return box < 0 || box >= row.x.length ? from : { row: from.row, box };
	}
	const to = from.row + (name === "ArrowUp" ? -1 : 1);
	if (to < 0 || to >= place.rows.length)
		return from;
	const box = boxAt(place.rows[to], row.x[from.box] + 0.01);
	return box < 0 ? from : { row: to, box };
}

function key(event) {
	if (place === null || !ours(event))
		return;
	if (event.key === "Escape") {
		go({ zoom: "", q: "" });
	} else if (event.key === "Enter" && cursor !== null) {
		zoom(cursor);
	} else if (event.key.startsWith("Arrow")) {
		cursor = cursor === null ? { row: place.focusRow, box: 0 } : moved(cursor, event.key);
		const row = place.rows[cursor.row];
		const y = cursor.row * ROW;
		if (y < scroller.scrollTop)
			scroller.scrollTop = y;
		else if (y + ROW > scroller.scrollTop + scroller.clientHeight)
			scroller.scrollTop = y + ROW - scroller.clientHeight;
		showDetail(row.node[cursor.box], row.from[cursor.box]);
		say(sentence(row.node[cursor.box], row.from[cursor.box]), false);
		repaint();
	} else {
		return;
	}
	event.preventDefault();
}

async function draw(given) {
	const wanted = given.key + given.state.inv;
	invert.checked = given.state.inv;
	if (treeKey !== wanted) {
		const made = await ask("tree", { ...given.question, inverted: given.state.inv });
		if (given.stale())
			return;
		tree = made;
		treeKey = wanted;
		painter.use(tree, given.sums);
	}
	context = given;
	hits = given.search === null ? null :
	    Uint8Array.from(given.sums.names, (name) => given.search.test(name) ? 1 : 0);
	if (hits !== null)
		context.matched = matchedWeight(tree, hits);
	context.report();
	focus = focusFrom(given.state.zoom);
	showLegend();
	arrange();
	showDetail(focus.node, focus.from);
}

export const flame = { id: "flame", name: "Flame graph", build, draw };
