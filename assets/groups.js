/*
 * Groups: sums by the values of one or two labels, such as the route, the
 * worker, or what was waited for. A row leads to the views of that group alone.
 *
 * Rule: data-value holds the number itself, as in Top.
 */
import { ask } from "./client.js";
import { cut, el, refill, select } from "./dom.js";
import { amount, change, count, percent } from "./numbers.js";
import { filtered, go } from "./state.js";

/* The labels of which a profile shows the first pair that it has. */
const FIRST = [["wait", "http.route"], ["state", "http.route"], ["http.route", ""]];

let menus, head, body, note;

function build(panel) {
	menus = el("div", { class: "row" });
	note = el("p", { class: "note" });
	head = el("thead");
	body = el("tbody");
	panel.append(menus, el("div", { class: "wide" },
	    el("table", { class: "figures", id: "groups" }, head, body)), note);
}

function chosenKeys({ meta, state }) {
	const there = meta.labels.map((label) => label.key);
	const asked = state.by.split("+").filter((key) => there.includes(key));
	if (asked.length > 0)
		return asked.slice(0, 2);
	const first = FIRST.find(([key]) => there.includes(key)) ?? [there[0]];
	return first.filter((key) => there.includes(key));
}

function showMenus(meta, keys) {
	const options = meta.labels.map(({ key }) => [key, key]);
	const change = (index, value) => {
		const next = keys.slice();
		next[index] = value;
		go({ by: next.filter(Boolean).join("+") });
	};
	refill(menus,
	    el("label", {}, el("span", {}, "Group by"), select({ id: "by",
		onchange: (event) => change(0, event.target.value) }, options, keys[0])),
	    el("label", {}, el("span", {}, "and by"), select({ id: "by2",
		onchange: (event) => change(1, event.target.value) },
	    [["", "nothing else"], ...options.filter(([key]) => key !== keys[0])], keys[1] ?? "")));
}

function row(context, keys, { values, left, right, samples }) {
	const { sums, unit, whole, state } = context;
	const value = sums.paired ? right - left : left;
	const filters = keys.reduce((all, key, index) => filtered(all, key, values[index]),
	    state.filters);
	const share = el("td", { class: "number share" }, percent(left + right, whole));
	share.style.setProperty("--share", (100 * (left + right) / whole || 0).toFixed(1) + "%");
	return el("tr", {},
	    el("td", { class: "number", "data-value": value },
		sums.paired ? change(value, unit) : amount(value, unit)),
	    share,
	    el("td", { class: "number" }, count(samples)),
	    ...values.map((text) => el("td", { title: text }, cut(text, 200) || "(none)")),
	    el("td", { class: "actions" }, el("button", { type: "button", class: "quiet",
		onclick: () => go({ filters, view: "flame", zoom: "" }) }, "Only this")));
}

async function draw(context) {
	const keys = chosenKeys(context);
	const rows = await ask("groups", { ...context.question, keys });
	if (context.stale())
		return;
	showMenus(context.meta, keys);
	head.replaceChildren(el("tr", {}, el("th", { class: "number" }, "Sum"),
	    el("th", { class: "number" }, "Share"), el("th", { class: "number" }, "Samples"),
	    ...keys.map((key) => el("th", {}, key)), el("th")));
	body.replaceChildren(...rows.slice(0, 1000).map((found) => row(context, keys, found)));
	note.textContent = rows.length > 1000 ?
	    `${count(rows.length - 1000)} smaller groups are not shown.` : "";
}

export const groups = { id: "groups", name: "Groups", build, draw,
	fits: (meta) => meta.labels.length > 0 };
