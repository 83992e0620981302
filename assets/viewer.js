/*
 * The viewer: one page for every profile. Its head says what is shown and of
 * how much; below the head is one of the views, all over the same sums.
 *
 * Not the views (flame.js, top.js, callers.js, graph.js, groups.js) and no sums
 * (worker.js).
 *
 * Rule: the page shows what the address says (state.js). If the address says
 * something else by the time an answer comes, the answer is thrown away.
 */
import { ask, open, warm } from "./client.js";
import { callers } from "./callers.js";
import { cut, el, find, ours, refill, say, select, copy } from "./dom.js";
import { flame } from "./flame.js";
import { graph } from "./graph.js";
import { groups } from "./groups.js";
import { amount, change, clock, count, percent, typeName } from "./numbers.js";
import { filtered, go, goLater, home } from "./state.js";
import * as captures from "./captures.js";
import { command } from "./take.js";
import { top } from "./top.js";
import { progress } from "./progress.js";

export { warm };

const VIEWS = [flame, top, callers, graph, groups, progress];

/* A menu offers so many values of a label; more are found by typing. */
const MENU_MAX = 200;

/* Labels whose menus are always there. */
const FREQUENT = ["http.route", "worker", "wait", "state"];

let built = null;
let turn = 0;
let shown = { profile: "", sums: "" };

/* Views are given the sums, the question that the sums came from, and the
 * state. */
let context = null;

function build() {
	const search = el("input", { id: "q", type: "search", autocomplete: "off",
		spellcheck: "false", placeholder: "Search, by regular expression ( / )",
		"aria-label": "Search functions by regular expression", "aria-keyshortcuts": "/",
		oninput: goLater(150, () => ({ q: search.value })) });
	built = { search,
		title: el("h1", { id: "title" }),
		facts: el("p", { class: "facts", id: "facts" }),
		controls: el("div", { class: "controls" }),
		tabs: VIEWS.map(makeTab),
		tablist: null,
		panels: VIEWS.map((view) => el("section", { class: "panel", role: "tabpanel",
			id: "p-" + view.id, "aria-labelledby": "t-" + view.id, hidden: true })),
		save: el("a", { class: "button", download: "" }, "Save") };
	built.tablist = el("div", { role: "tablist", "aria-label": "View", class: "tabs",
		onkeydown: tabKey }, ...built.tabs);
	built.parts = [
	    el("header", { class: "bar" },
		el("button", { type: "button", class: "quiet", onclick: home,
			"aria-label": "All profiles" }, "← Profiles"),
		built.title,
		el("span", { class: "grow" }),
		built.save,
		el("button", { type: "button", class: "quiet", id: "command",
			onclick: () => copy(command(context.state.src)) }, "Copy command")),
	    built.controls,
	    el("div", { class: "searchrow" }, built.tablist, search),
	    built.facts,
	    ...built.panels];
	VIEWS.forEach((view, index) => view.build(built.panels[index]));
}

function makeTab(view) {
	return el("button", { type: "button", role: "tab", id: "t-" + view.id,
		"aria-controls": "p-" + view.id, onclick: () => go({ view: view.id }) }, view.name);
}

function tabKey(event) {
	const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
	if (step === undefined || !ours(event))
		return;
	const tabs = built.tabs.filter((tab) => !tab.hidden);
	const at = tabs.indexOf(document.activeElement);
	const next = tabs[(at + step + tabs.length) % tabs.length];
	next.focus();
	next.click();
	event.preventDefault();
}

/* Returns the state's regular expression. A text that is none is searched as it
 * is. */
export function pattern(text) {
	try {
		return new RegExp(text, "i");
	} catch {
		return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
	}
}

function pickType(meta, state) {
	const index = meta.types.findIndex(({ type }) => type === state.type);
	return index < 0 ? meta.defaultType : index;
}

function filterMenu({ key, values }, state) {
	const chosen = state.filters[key];
	const choose = (value) => go({ filters: filtered(state.filters, key, value) });
	if (values.length > MENU_MAX)
		return el("input", { type: "search", value: chosen ?? "", "data-key": key,
			placeholder: `one of ${count(values.length)}`,
			onchange: (event) => choose(event.target.value || undefined) });
	const options = [["*", "all"], ...values.map(([value]) => ["=" + value, value]),
		["=", "(none)"]];
	if (chosen !== undefined && !options.some(([value]) => value === "=" + chosen))
		options.push(["=" + chosen, chosen]);
	return select({ "data-key": key, onchange: (event) => choose(
	    event.target.value === "*" ? undefined : event.target.value.slice(1)) },
	options, chosen === undefined ? "*" : "=" + chosen);
}

/* Filters that are seldom asked for are behind a button. If one is used, they
 * are open. */
function moreFilters(menus, used) {
	const open = used || (built.controls.querySelector("details")?.open ?? false);
	return el("details", { class: "more", open },
	    el("summary", {}, "More filters"), el("div", { class: "controls" }, ...menus));
}

function controls(meta, state, base) {
	const box = [];
	const labelled = (text, input) => box.push(el("label", {},
	    el("span", {}, text), input));
	if (meta.types.length > 1)
		labelled("Show", select({ id: "type",
			onchange: (event) => go({ type: event.target.value }) },
		meta.types.map((type) => [type.type, typeName(type)]),
		meta.types[pickType(meta, state)].type));
	const more = meta.labels.filter(({ key }) => !FREQUENT.includes(key));
	for (const label of meta.labels.filter((one) => !more.includes(one)))
		labelled(label.key, filterMenu(label, state));
	if (more.length > 0)
		box.push(moreFilters(more.map((label) => el("label", {}, el("span", {}, label.key),
		    filterMenu(label, state))), more.some(({ key }) => key in state.filters)));
	if (base) {
		box.push(el("label", { class: "check" }, el("input", { type: "checkbox", id: "norm",
			checked: state.norm,
			onchange: (event) => go({ norm: event.target.checked }) }),
		el("span", {}, "Scale both to the same total")));
		box.push(el("button", { type: "button", class: "quiet", id: "swap",
			onclick: () => go({ src: state.base, c: state.b, base: state.src, b: state.c }) },
		"Swap"));
	}
	refill(built.controls, ...box);
}

/* "2.31 s of CPU time in 30 s, 1,204 samples; matched 0.5 s (21 %)" */
function facts(meta, context) {
	const { sums, unit, state } = context;
	const [left, right] = sums.total, parts = [];
	const type = typeName(meta.types[context.question.type]);
	if (sums.signed)
		parts.push(`${type}: net ${change(right - left, unit)} ` +
		    `(${change(right, unit)}, ${change(-left, unit)})`);
	else if (sums.paired)
		parts.push(`${type}: ${amount(left, unit)} before, ${amount(right, unit)} now, ` +
		    `${change(right - left, unit)}`);
	else
		parts.push(`${type}: ${amount(left, unit)}`);
	if (meta.duration && !sums.paired)
		parts[0] += ` in ${amount(meta.duration, "nanoseconds")}`;
	const filters = Object.entries(state.filters);
	if (context.whole === 0)
		parts.push(filters.length > 0 ? "nothing has these labels" :
		    meta.periodType.type === "cpu" ? "nothing used CPU time meanwhile" :
			state.src.includes("seconds=") ? "nothing has changed meanwhile" :
			    "there is nothing in it");
	for (const [key, value] of filters)
		parts.push(cut(`${key}: ${value || "(none)"}`, 200));
	parts.push(`${count(meta.samples)} samples`);
	if (context.matched !== null)
		parts.push(`search matches ${amount(context.matched, unit)} ` +
		    `(${percent(context.matched, context.whole)})`);
	return parts.join(" · ");
}

/* The view that these profiles show first: how long already, and what for. */
const FIRST = { goroutine: "progress", block: "groups", mutex: "groups" };

/* A tab is hidden if the profile has nothing for it. */
function showTabs(state, meta) {
	const wanted = state.view || FIRST[state.src.split("?")[0]];
	let current = VIEWS.findIndex((view) => view.id === wanted &&
	    (view.fits?.(meta, state) ?? true));
	if (current < 0)
		current = 0;
	VIEWS.forEach((view, index) => {
		built.tabs[index].hidden = !(view.fits?.(meta, state) ?? true);
		built.tabs[index].setAttribute("aria-selected", index === current);
		built.tabs[index].tabIndex = index === current ? 0 : -1;
		built.panels[index].hidden = index !== current;
	});
	return VIEWS[current];
}

async function show(state, capture, base, mine) {
	const meta = await open(capture);
	if (base)
		await open(base);
	if (mine !== turn)
		return;
	const question = { key: capture.id, base: base?.id ?? "", type: pickType(meta, state),
		filters: state.filters, normalised: state.norm };
	const key = JSON.stringify(question);
	if (shown.sums !== key) {
		const sums = await ask("sums", question);
		if (mine !== turn)
			return;
		context = { sums };
		shown.sums = key;
	}
	const { sums } = context;
	context = { ...context, meta, question, state, capture, key,
		unit: meta.types[question.type].unit, whole: sums.total[0] + sums.total[1],
		search: state.q ? pattern(state.q) : null, matched: null,
		stale: () => mine !== turn,
		report() {
			built.facts.textContent = facts(meta, this);
			built.facts.dataset.whole = this.whole;
			built.facts.dataset.matched = this.matched ?? "";
		} };
	const told = ({ title, at }) => `${title}, ${clock(at)}`;
	built.title.textContent = base ? `${told(base)} → ${told(capture)}` : capture.title;
	built.title.title = told(capture);
	built.save.href = captures.link(capture);
	built.save.download = captures.fileName(capture);
	find("command").hidden = capture.source.startsWith("file:");
	if (document.activeElement !== built.search)
		built.search.value = state.q;
	controls(meta, state, base);
	context.report();
	await showTabs(state, meta).draw(context);
	if (mine === turn) {
		find("viewer").dataset.ready = String(mine);
		say(built.facts.textContent, false);
	}
}

/* Shows a capture. If there is a base, the capture is compared with it. */
export async function view(state, capture, base) {
	const mine = ++turn;
	if (built === null)
		build();
	/* While a profile was awaited, other elements were in the place of
	 * these. */
	if (!built.title.isConnected)
		find("viewer").replaceChildren(...built.parts);
	delete find("viewer").dataset.blank;
	document.title = `${capture.title} – ${location.pathname}`;
	try {
		await show(state, capture, base, mine);
	} catch (error) {
		if (mine !== turn)
			return;
		shown.sums = "";
		for (const panel of built.panels)
			panel.hidden = true;
		built.title.textContent = capture.title;
		built.facts.textContent = error.message;
		find("viewer").dataset.ready = "failed";
		say(error.message);
	}
}

/* This key works wherever the focus is. */
addEventListener("keydown", (event) => {
	if (event.key !== "/" || !ours(event) || built === null ||
	    find("viewer").hidden || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName))
		return;
	event.preventDefault();
	built.search.focus();
	built.search.select();
});
