/*
 * Top: all functions as a table: what they took themselves (flat), and with all
 * that they called (cum). These are the flame graph's numbers, for people who
 * cannot see it, and those of `go tool pprof -top`.
 *
 * Rule: data-value holds the number itself.
 */
import { el, refill } from "./dom.js";
import { amount, change, count, percent } from "./numbers.js";
import { go } from "./state.js";

/* So many rows are made at once; a button makes the others. */
const ROWS = 200;

let head, body, more, context = null, order = [];

function build(panel) {
	head = el("thead");
	body = el("tbody");
	more = el("button", { type: "button", class: "quiet", hidden: true,
		onclick: () => addRows(order.length) });
	panel.append(el("div", { class: "wide" },
	    el("table", { id: "top", class: "figures" },
		el("caption", { class: "hidden" }, "All functions"), head, body)), more);
}

/* [key, heading, value of a frame, what it is a share of, how it is written] */
export function columns({ sums, unit, whole }) {
	const { flat, cum, total, paired, signed } = sums;
	const exact = (value) => amount(value, unit);
	const plus = (value) => change(value, unit);
	if (!paired)
		return [["flat", "Flat", (f) => flat[0][f], whole, exact],
			["cum", "Cum", (f) => cum[0][f], whole, exact]];
	const base = signed ? whole : total[0];
	return [["flat", "Flat change", (f) => flat[1][f] - flat[0][f], base, plus],
		["cum", "Cum change", (f) => cum[1][f] - cum[0][f], base, plus],
		["before", signed ? "Freed" : "Cum before", (f) => cum[0][f], 0, exact],
		["after", signed ? "Grown" : "Cum now", (f) => cum[1][f], 0, exact]];
}

export function cells(list, frame) {
	return list.flatMap(([key, , value, whole, text]) => {
		const number = value(frame), made = [el("td", { class: "number " + key,
			"data-value": number }, text(number))];
		if (whole) {
			const share = el("td", { class: "number share" }, percent(number, whole));
			share.style.setProperty("--share",
			    Math.min(100, 100 * Math.abs(number / whole)).toFixed(1) + "%");
			made.push(share);
		}
		return made;
	});
}

/* The headings of the columns that cells() makes. `button` turns a name into a
 * button to sort by. */
export function headings(list, button = (key, name) => name, sort = "") {
	return el("tr", {}, ...list.flatMap(([key, name, , whole]) => [
		el("th", { class: "number", scope: "col",
			"aria-sort": sort === key ? "descending" : "none" }, button(key, name)),
		...whole ? [el("th", { class: "number share", scope: "col" }, "Share")] :
		    []]));
}

function sortHeadings(list, sort) {
	const button = (key, name) => el("button", { type: "button", "data-sort": key,
		onclick: () => go({ sort: key }, true) }, name);
	const row = headings(list, button, sort);
	row.append(el("th", { scope: "col", "aria-sort": sort === "name" ? "ascending" : "none" },
	    button("name", "Function")));
	return row;
}

/* The button that leads to a function's callers and callees. */
export function nameButton(sums, frame) {
	const file = sums.files[frame];
	return el("td", {}, el("button", { type: "button", class: "name",
		title: (file ? file + " in " : "") + sums.objects[sums.objectOf[frame]],
		onclick: () => go({ view: "callers", fn: sums.names[frame] }) }, sums.names[frame]));
}

function addRows(until) {
	const list = columns(context);
	body.append(...order.slice(body.rows.length, until).map((frame) =>
	    el("tr", {}, ...cells(list, frame), nameButton(context.sums, frame))));
	more.hidden = body.rows.length === order.length;
	more.textContent = `Show all ${count(order.length)} functions`;
}

function draw(given) {
	context = given;
	const { sums, search, state } = given;
	const list = columns(given), sort = state.sort || "flat";
	const column = list.find(([key]) => key === sort);
	order = [...sums.names.keys()].filter((frame) =>
	    (sums.cum[0][frame] !== 0 || sums.paired && sums.cum[1][frame] !== 0) &&
	    (search === null || search.test(sums.names[frame])));
	if (column === undefined)
		order.sort((a, b) => sums.names[a] < sums.names[b] ? -1 : 1);
	else
		order.sort((a, b) => Math.abs(column[2](b)) - Math.abs(column[2](a)) ||
		    sums.cum[0][b] - sums.cum[0][a]);
	refill(head, sortHeadings(list, sort));
	body.replaceChildren();
	addRows(ROWS);
}

export const top = { id: "top", name: "Top", build, draw };
