/*
 * The live view: each route's requests a second, times, CPU and allocations, as
 * the difference of two answers of /routes, a second apart.
 *
 * While the page is not seen, the service is not asked.
 *
 * Rule: there is one question at a time; if an answer does not come, nothing
 * stops.
 */
import { el, find } from "./dom.js";
import { amount, count, percent } from "./numbers.js";
import { go, home } from "./state.js";
import { BASE } from "./take.js";

const EVERY_MS = 1000;
/* Shares of CPU time are taken over so many answers: a second has few samples.
 */
const CPU_ANSWERS = 10;

/* [key, heading, what a title says of it, how its number is written] */
const COLUMNS = [
	["rate", "Requests/s", "requests that ended, a second", (n) => amount(n, "")],
	["p50", "p50", "half of the requests took less", time],
	["p99", "p99", "99 of 100 requests took less", time],
	["cpu", "CPU", "share of the CPU time that was sampled in the last ten seconds", share],
	["bytes", "Allocated/s", "by the heap's samples, a second", (n) => amount(n, "bytes")],
	["now", "In flight", "begun and not ended", count],
];

let box, table, note, answers = [], rows = [], timer = 0, shown = false, asking = null;

function time(ns) {
	return ns === null ? "–" : amount(ns, "nanoseconds");
}

function share(part) {
	return part === null ? "–" : percent(part, 1);
}

const keyOf = (route) => JSON.stringify([route.route, route.method]);

/* Returns the bound below which `part` of the requests lay, by the buckets'
 * counts; null: there were none. Requests behind the last bound count as at it.
 */
export function quantile(part, buckets, bounds) {
	const all = buckets.reduce((sum, [, n]) => sum + n, 0);
	let seen = 0;
	for (const [bucket, n] of buckets) {
		seen += n;
		if (seen >= part * all)
			return bounds[Math.min(bucket, bounds.length - 1)];
	}
	return null;
}

function bucketsSince(now, then) {
	const old = new Map(then?.times ?? []);
	return now.times.map(([bucket, n]) => [bucket, n - (old.get(bucket) ?? 0)])
	    .filter(([, n]) => n > 0);
}

/* What happened between two answers, by route; the CPU time is that since
 * `first`. */
export function between(then, now, first = then) {
	const seconds = (now.now_ns - then.now_ns) / 1e9;
	const old = new Map(then.routes.map((route) => [keyOf(route), route]));
	const oldest = new Map(first.routes.map((route) => [keyOf(route), route]));
	const grown = (route, name, since = old) =>
	    route[name] - (since.get(keyOf(route))?.[name] ?? 0);
	const cpu = now.cpu_sampled && first.cpu_sampled ?
	    now.routes.reduce((sum, route) => sum + grown(route, "cpu_ns", oldest), 0) : 0;
	return now.routes.map((route) => {
		const buckets = bucketsSince(route, old.get(keyOf(route)));
		return { route: route.route, method: route.method,
			rate: grown(route, "requests") / seconds,
			p50: quantile(0.5, buckets, now.bounds_ns),
			p99: quantile(0.99, buckets, now.bounds_ns),
			cpu: cpu > 0 ? grown(route, "cpu_ns", oldest) / cpu : null,
			bytes: grown(route, "alloc_bytes") / seconds,
			now: route.in_flight };
	});
}

function filters({ route, method }) {
	return route === null ? { "http.route": "" } : { "http.route": route, "http.method": method };
}

function row(item) {
	const name = item.route === null ? "(no route)" : `${item.method} ${item.route}`;
	const look = (src, text) => el("button", { type: "button", class: "quiet",
		"aria-label": `${text} of ${name}`,
		onclick: () => go({ src, view: "", c: "", filters: filters(item) }) }, text);
	return el("tr", { "data-route": item.route ?? "", "data-of": keyOf(item) },
	    el("td", {}, name),
	    ...COLUMNS.map(([key, , , text]) => el("td", { class: "number",
		"data-key": key, "data-value": item[key] ?? "" }, text(item[key]))),
	    el("td", { class: "actions" }, look("profile?seconds=5", "CPU"), look("heap", "Heap")));
}

function sorted(by) {
	if (by === "name")
		return [...rows].sort((a, b) => String(a.route) < String(b.route) ? -1 : 1);
	return [...rows].sort((a, b) => (b[by] ?? -1) - (a[by] ?? -1));
}

function heading(by, key, text, title) {
	return el("th", { class: key === "name" ? null : "number", scope: "col", title,
		"aria-sort": by !== key ? "none" : key === "name" ? "ascending" : "descending" },
	el("button", { type: "button", "data-sort": key,
		onclick: () => go({ sort: key }, true) }, text));
}

function draw(by) {
	const head = el("tr", {}, heading(by, "name", "Route", "method and route"),
	    ...COLUMNS.map(([key, text, title]) => heading(by, key, text, title)), el("td"));
	const held = document.activeElement?.dataset?.sort;
	table.replaceChildren(el("caption", { class: "hidden" }, "Routes, each second anew"),
	    el("thead", {}, head), el("tbody", {}, ...sorted(by).map(row)));
	if (held)
		table.querySelector(`[data-sort="${held}"]`)?.focus();
}

/* Buttons must stay where they are under a finger. While a button is pressed or
 * has the focus, only numbers change, and new routes come below. */
function refresh(by) {
	const body = table.tBodies[0];
	if (!body?.contains(document.activeElement)) {
		draw(by);
		return;
	}
	const lines = new Map([...body.rows].map((line) => [line.dataset.of, line]));
	for (const item of rows) {
		const line = lines.get(keyOf(item));
		if (line === undefined) {
			body.append(row(item));
			continue;
		}
		for (const [index, [key, , , text]] of COLUMNS.entries()) {
			const cell = line.cells[index + 1];
			cell.textContent = text(item[key]);
			cell.dataset.value = item[key] ?? "";
		}
	}
}

function told(now) {
	const cpu = now.cpu_sampled ? "" :
	    " CPU: the flight recorder is off, and nobody takes a CPU profile.";
	const heap = now.heap_rate > 0 ? "" : " Allocations: heap_rate is 0.";
	const running = now.workers.filter(({ pid }) => pid !== 0).length;
	return `${running} workers, the last second. Times are from a handler's first call to ` +
	    `its last end, asleep or not.${cpu}${heap}`;
}

async function answer(signal) {
	const response = await fetch(new URL("routes", BASE), { cache: "no-store", signal });
	const text = await response.text();
	if (!response.ok)
		throw new Error(`${response.status}: ${text.trim().slice(0, 300)}`);
	return JSON.parse(text);
}

function take(now) {
	const before = answers.at(-1);
	if (before !== undefined)
		rows = between(before, now, answers[0]);
	note.textContent = before === undefined ? "The first second…" : told(now);
	box.dataset.turn = before === undefined ? 0 : Number(box.dataset.turn) + 1;
	answers = [...answers, now].slice(-CPU_ANSWERS);
	refresh(box.dataset.by);
}

/* Asks now, and each second from then on; an earlier question is dropped. */
async function poll() {
	clearTimeout(timer);
	asking?.abort();
	if (!shown || document.hidden)
		return;
	const mine = asking = new AbortController();
	try {
		take(await answer(mine.signal));
	} catch (error) {
		if (mine.signal.aborted)
			return;
		answers = [];
		note.textContent = error instanceof TypeError ?
		    "The service does not answer; asking again." : error.message;
	}
	if (mine === asking)
		timer = setTimeout(poll, EVERY_MS);
}

function build() {
	note = el("p", { class: "note", id: "live-note" });
	table = el("table", { id: "routes", class: "figures" });
	box = el("div", { id: "live-box" },
	    el("header", { class: "bar" },
		el("button", { type: "button", class: "quiet", onclick: home,
			"aria-label": "All profiles" }, "← Profiles"),
		el("h1", {}, "Routes, live")),
	    note, el("div", { class: "wide" }, table));
	find("live").append(box);
	document.addEventListener("visibilitychange", () => {
		answers = [];
		poll();
	});
}

/* Shows the view, sorted as the address says; or leaves it and asks no more. */
export function live(on, state) {
	if (on && box === undefined)
		build();
	if (on) {
		box.dataset.by = state.sort || "rate";
		document.title = "Routes, live";
		draw(box.dataset.by);
	}
	if (on === shown)
		return;
	shown = on;
	answers = [];
	poll();
}
