/*
 * One function: who called it, what it called, and its lines. This is what `go
 * tool pprof -peek` shows, and what -list shows without the source.
 */
import { ask } from "./client.js";
import { el } from "./dom.js";
import { amount, change, percent } from "./numbers.js";
import { cells, columns, headings, nameButton } from "./top.js";

let box, hint;

function build(panel) {
	hint = el("p", { class: "note" },
	    "Choose a function in the flame graph, in Top or in the graph.");
	box = el("div", { id: "callers" });
	panel.append(hint, box);
}

/* A pair of sums as one cell: the value, or the change. */
function pair({ sums, unit }, left, right) {
	const value = sums.paired ? right - left : left;
	return el("td", { class: "number", "data-value": value },
	    sums.paired ? change(value, unit) : amount(value, unit));
}

function share({ sums, whole }, left, right) {
	return el("td", { class: "number" }, percent(sums.paired ? right - left : left,
	    sums.paired && !sums.signed ? sums.total[0] : whole));
}

function edgeTable(context, title, edges, nothing) {
	return el("section", { class: "edges" }, el("h2", {}, title),
	    el("table", { class: "figures", "aria-label": title }, el("tbody", {},
		...edges.map(([frame, left, right]) => el("tr", {}, pair(context, left, right),
		    share(context, left, right),
		    frame < 0 ? el("td", {}, nothing) : nameButton(context.sums, frame))))));
}

function lineTable(context, lines) {
	return el("section", { class: "edges" }, el("h2", {}, "Lines"),
	    el("table", { class: "figures", id: "lines", "aria-label": "Lines" },
		el("thead", {}, el("tr", {}, el("th", { class: "number" }, "Flat"),
		    el("th", { class: "number" }, "Cum"), el("th", {}, "Line"))),
		el("tbody", {}, ...lines
		    .sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 :
			a.number - b.number)
		    .map(({ number, file, flat, cum }) => el("tr", { "data-line":
			`${file}:${number}` }, pair(context, ...flat), pair(context, ...cum),
		    el("td", {}, file === "" ? "no line known" : el("code", { title: file },
			`${file.split("/").pop()}:${number}`)))))));
}

async function draw(context) {
	const { sums, state } = context;
	const frame = sums.names.indexOf(state.fn);
	hint.hidden = frame >= 0;
	if (frame < 0) {
		hint.textContent = state.fn === "" ?
		    "Choose a function in the flame graph, in Top or in the graph." :
		    `There is no "${state.fn.slice(0, 200)}" in this profile.`;
		box.replaceChildren();
		return;
	}
	const found = await ask("around", { ...context.question, frame });
	if (context.stale())
		return;
	const list = columns(context);
	box.replaceChildren(
	    el("h2", { class: "function" }, sums.names[frame]),
	    el("p", { class: "note" }, `${sums.files[frame] || "no source file known"}, in ` +
		sums.objects[sums.objectOf[frame]]),
	    el("div", { class: "wide" },
		el("table", { class: "figures own", id: "own", "aria-label": "The function" },
		    el("thead", {}, headings(list)),
		    el("tbody", {}, el("tr", {}, ...cells(list, frame))))),
	    el("div", { class: "columns" },
		edgeTable(context, "Called by", found.callers, "(nothing: it is the root)"),
		edgeTable(context, "Calls", found.callees, "(itself: it ran)"),
		lineTable(context, found.lines)));
}

export const callers = { id: "callers", name: "Callers", build, draw };
