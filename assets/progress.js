/*
 * In progress: each request, task and thread with its age, from the text form
 * of goroutine (debug=2). The text is read by itself, a moment after the
 * profile.
 *
 * Rule: the service makes the list; if a part of it does not read like a line,
 * it is shown as it came.
 */
import { el } from "./dom.js";
import { BASE } from "./take.js";
import { count } from "./numbers.js";

let box;

function build(panel) {
	box = el("div", { id: "progress" });
	panel.append(box);
}

const LINE = /^# goroutine (\d+): (\S+)(?: (?!route )(.*?))?(?:, route (.*?))?, worker (\d+), /;
const HEAD = /^goroutine (\d+) \[(.*)\]:$/;

/* Returns [{ id, kind, what, route, worker, age, state, frames }...]. */
export function parse(text) {
	const items = new Map();
	let item = null;
	for (const line of text.split("\n")) {
		const listed = LINE.exec(line), headed = HEAD.exec(line);
		if (listed !== null) {
			items.set(listed[1], { id: listed[1], kind: listed[2].replace(",", ""),
				what: listed[3] ?? "", route: listed[4] ?? "", worker: listed[5],
				age: Number(/, age ([\d.]+) s/.exec(line)?.[1] ?? 0),
				state: "", frames: [] });
		} else if (headed !== null) {
			item = items.get(headed[1]) ?? null;
			if (item !== null)
				item.state = headed[2];
		} else if (item !== null && line !== "" && !line.startsWith("\t")) {
			item.frames.push(line.replace(/\(\.\.\.\)$/, ""));
		}
	}
	return [...items.values()];
}

function table(items) {
	const routes = new Map();
	for (const item of items) {
		const key = JSON.stringify([item.route || "(no route)", item.kind, item.state]);
		if (!routes.has(key))
			routes.set(key, []);
		routes.get(key).push(item);
	}
	const rows = [...routes].map(([key, list]) => [JSON.parse(key), list.sort((a, b) =>
	    b.age - a.age)]).sort((a, b) => b[1].length - a[1].length);
	return el("table", { class: "figures", id: "ages" },
	    el("thead", {}, el("tr", {}, ...["Count", "Oldest", "Youngest"].map((name) =>
		el("th", { class: "number" }, name)), ...["Route", "What", "State", "Where"].map(
		(name) => el("th", {}, name)))),
	    el("tbody", {}, ...rows.map(([[route, kind, state], list]) => el("tr", {},
		el("td", { class: "number", "data-value": list.length }, count(list.length)),
		el("td", { class: "number" }, list[0].age.toFixed(3) + " s"),
		el("td", { class: "number" }, list[list.length - 1].age.toFixed(3) + " s"),
		el("td", {}, route), el("td", {}, kind), el("td", {}, state),
		el("td", {}, el("details", {}, el("summary", {}, list[0].frames[0] ?? "?"),
		    el("ol", {}, ...list.slice(0, 20).map((item) => el("li", {},
			`${item.age.toFixed(3)} s, worker ${item.worker} ${item.what}`,
			el("pre", {}, item.frames.join("\n")))))))))));
}

async function draw(context) {
	box.replaceChildren(el("p", { class: "note" }, "Asking the service…"));
	let text;
	try {
		const response = await fetch(new URL("goroutine?debug=2", BASE), { cache: "no-store" });
		text = await response.text();
		if (!response.ok)
			throw new Error(`${response.status}: ${text.slice(0, 300)}`);
	} catch (error) {
		box.replaceChildren(el("p", { class: "note" }, error instanceof TypeError ?
		    "The service does not answer." : error.message));
		return;
	}
	if (context.stale())
		return;
	const items = parse(text);
	box.replaceChildren(el("p", { class: "note" },
	    `${count(items.length)} in progress now, by route, kind and state; ages since each ` +
	    "began."), el("div", { class: "wide" }, table(items)));
}

export const progress = { id: "progress", name: "In progress", build, draw,
	fits: (meta, state) => state.src.split("?")[0] === "goroutine" };
