/*
 * The time line of a trace: a row for each worker and task thread, requests as
 * bars by what they did, zoom and pan, and a table of the slowest of each
 * route, from which one can jump.
 *
 * Not the file's form (trace_decode.js, in the Worker) and not pixels
 * (timeline_paint.js).
 *
 * Rule: the address says what part is shown (zoom, seconds) and which route
 * (fn); the table says the same in words.
 */
import { ask } from "./client.js";
import * as captures from "./captures.js";
import { copy, el, find, ours, say, select } from "./dom.js";
import { amount, clock, count } from "./numbers.js";
import { go, goLater, home } from "./state.js";
import { BASE } from "./take.js";
import { arrangeLanes, firstAfter, gutterOf, paint } from "./timeline_paint.js";

const STATES = ["running", "in a system call", "waiting", "ready, not running"];
const CLASSES = ["runs", "calls", "waits", "ready"];

let canvas, tip, detail, trace = null, place = null, part = null, route = "", chosen = 0;
let drag = null, asked = 0, turns = 0, gutter = 0;

const seconds = (value) => amount(Math.round(value * 1e9), "nanoseconds");

function legend() {
	return el("ul", { class: "legend" }, ...STATES.map((name, index) =>
	    el("li", {}, el("i", { class: CLASSES[index] }), name)));
}

function picker() {
	return el("label", {}, el("span", {}, "Route"), select({ id: "route",
		onchange: (event) => go({ fn: event.target.value }) },
	[["", "all"], ...trace.tasks.map(({ name }) => [name, name])], route));
}

function matches(g) {
	const name = trace.names.get(g) ?? "";
	return route === "" || name === route || name === "task of " + route;
}

function draw() {
	const width = canvas.parentElement.clientWidth;
	if (trace === null || width === 0)
		return;
	gutter = gutterOf(place.lanes, width);
	paint(canvas, { gutter, lanes: place.lanes, from: part[0], to: part[1], width,
		height: place.height, names: trace.names, match: matches, chosen });
	canvas.dataset.from = part[0];
	canvas.dataset.to = part[1];
}

const remember = goLater(250, () => ({ zoom: part[0] === 0 && part[1] === trace.seconds ? "" :
	part.map((at) => at.toFixed(9)).join("_") }));

/* Shows from..to, kept inside of the trace and not shorter than a microsecond.
 */
function show(from, to) {
	const length = Math.min(trace.seconds, Math.max(1e-6, to - from));
	const start = Math.max(0, Math.min(from, trace.seconds - length));
	part = [start, start + length];
	draw();
	remember();
}

function zoom(factor, at) {
	const length = (part[1] - part[0]) * factor;
	const share = (at - part[0]) / (part[1] - part[0]);
	show(at - length * share, at - length * share + length);
}

function timeAt(event) {
	const box = canvas.getBoundingClientRect();
	return part[0] + (event.clientX - box.left - gutter) / (box.width - gutter) *
	    (part[1] - part[0]);
}

function under(event) {
	const box = canvas.getBoundingClientRect(), y = event.clientY - box.top;
	const at = timeAt(event), near = (part[1] - part[0]) / (box.width - gutter);
	const lane = place.lanes.find(({ top, height }) => y >= top && y <= top + height);
	if (lane === undefined || event.clientX - box.left < gutter)
		return null;
	const bar = firstAfter(lane.bars, at - near);
	return bar < lane.bars.start.length && lane.bars.start[bar] <= at + near ?
	    { lane, bar } : null;
}

function sentence({ lane, bar }) {
	const { bars } = lane;
	return `${trace.names.get(bars.g[bar]) ?? "?"}: ${STATES[bars.state[bar]]} for ` +
	    `${seconds(bars.end[bar] - bars.start[bar])}, from ${seconds(bars.start[bar])}, ` +
	    `on ${lane.row.name}`;
}

async function hover(event) {
	if (drag !== null)
		return;
	const at = under(event), mine = ++asked;
	tip.hidden = at === null || event.pointerType === "touch";
	if (tip.hidden)
		return;
	const stack = at.lane.bars.stack[at.bar], text = sentence(at);
	tip.replaceChildren(text);
	beside(event);
	const frames = stack === 0 ? [] : await ask("frames", { key: trace.key, stack });
	if (mine !== asked)
		return;
	tip.replaceChildren(text, ...frames.slice(0, 14).map((frame) => el("div", {}, frame)));
	beside(event);
}

function beside(event) {
	tip.style.left = Math.max(4, Math.min(event.clientX + 14,
	    innerWidth - tip.offsetWidth - 8)) + "px";
	tip.style.top = Math.min(event.clientY + 18, innerHeight - tip.offsetHeight - 8) + "px";
}

function choose(g, text) {
	chosen = g;
	detail.textContent = text;
	say(text, false);
	draw();
}

function pointer(event) {
	if (event.type === "pointerdown") {
		drag = { at: timeAt(event), x: event.clientX, moved: false };
		canvas.setPointerCapture(event.pointerId);
		tip.hidden = true;
	} else if (event.type === "pointermove" && drag !== null) {
		drag.moved ||= Math.abs(event.clientX - drag.x) > 3;
		const off = drag.at - timeAt(event);
		show(part[0] + off, part[1] + off);
	} else if (event.type === "pointercancel") {
		/* The browser has made a scroll of the movement. */
		drag = null;
	} else if (drag !== null) {
		const found = drag.moved ? null : under(event);
		drag = null;
		if (found !== null)
			choose(found.lane.bars.g[found.bar], sentence(found));
	}
}

/* A wheel scrolls the page. It zooms if Ctrl is held, or if the time line has
 * the focus and there is something left to zoom out of. */
function wheel(event) {
	const { deltaX, deltaY, ctrlKey, metaKey, shiftKey } = event;
	const out = deltaY > 0, whole = part[1] - part[0] >= trace.seconds;
	if (shiftKey || Math.abs(deltaX) > Math.abs(deltaY)) {
		const off = (part[1] - part[0]) / 800 * (deltaX || deltaY);
		show(part[0] + off, part[1] + off);
	} else if (ctrlKey || metaKey || document.activeElement === canvas && !(out && whole)) {
		zoom(out ? 1.25 : 0.8, timeAt(event));
	} else {
		return;
	}
	event.preventDefault();
}

function key(event) {
	if (!ours(event))
		return;
	const length = part[1] - part[0], middle = (part[0] + part[1]) / 2;
	const act = { "+": () => zoom(0.5, middle), "=": () => zoom(0.5, middle),
		"-": () => zoom(2, middle), "Home": () => show(0, trace.seconds),
		"Escape": () => show(0, trace.seconds),
		"ArrowUp": () => zoom(0.5, middle), "ArrowDown": () => zoom(2, middle),
		"ArrowLeft": () => show(part[0] - length / 4, part[1] - length / 4),
		"ArrowRight": () => show(part[0] + length / 4, part[1] + length / 4) }[event.key];
	if (act === undefined)
		return;
	act();
	say(`From ${seconds(part[0])} to ${seconds(part[1])}.`, false);
	event.preventDefault();
}

/* Buttons that do what keys do, for people without keys: a screen reader says
 * the labels. */
function steps() {
	const step = (text, label, press) => el("button", { type: "button", class: "quiet",
		"aria-label": label, onclick: () => key(new KeyboardEvent("keydown", { key: press })) },
	text);
	return el("span", { class: "steps" }, step("←", "Earlier", "ArrowLeft"),
	    step("→", "Later", "ArrowRight"), step("+", "Zoom in", "+"),
	    step("−", "Zoom out", "-"), step("All", "Show all of it", "Escape"));
}

function jump({ name }, slow) {
	const around = Math.max(slow.seconds, 2e-5);
	show(slow.start - around / 2, slow.start + slow.seconds + around / 2);
	choose(slow.g, `${name}: ${seconds(slow.seconds)}, from ${seconds(slow.start)}`);
	canvas.scrollIntoView({ block: "nearest" });
}

function slowest() {
	const line = (type) => el("tr", { "data-name": type.name },
	    el("td", {}, type.name),
	    el("td", { class: "number", "data-value": type.begun }, count(type.begun)),
	    el("td", { class: "number" }, type.ended === 0 ? "–" : seconds(type.total / type.ended)),
	    el("td", {}, ...type.slow.map((slow) => el("button", { type: "button", class: "quiet",
		"data-value": slow.seconds, "aria-label": `Show the ${type.name} of ` +
		seconds(slow.seconds), onclick: () => jump(type, slow) }, seconds(slow.seconds)))));
	return el("table", { id: "slowest", class: "figures" },
	    el("caption", { class: "hidden" }, "Requests and tasks by name, and the slowest"),
	    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Request"),
		el("th", { class: "number", scope: "col" }, "In this trace"),
		el("th", { class: "number", scope: "col" }, "Mean"),
		el("th", { scope: "col" }, "Slowest: press to see it"))),
	    el("tbody", {}, ...trace.tasks.map(line)));
}

function facts(capture) {
	const left = trace.rows.reduce((sum, row) => sum + row.left, 0);
	return `${seconds(trace.seconds)}, ${clock(capture.at)} · drag or arrow keys: pan; ` +
	    "Ctrl and wheel, plus and minus: zoom · the request that waits all the time " +
	    "took this trace" +
	    (trace.cut ? " · too much for one picture: the end of it is missing" : "") +
	    (left > 0 ? ` · ${count(left)} waits that had no lane are not drawn` : "");
}

function build(capture) {
	canvas = el("canvas", { id: "timeline", tabindex: "0", role: "application",
		"aria-label": "Time line. Left and right arrows move, plus and minus zoom, Escape " +
		"shows all. The table below has the slowest requests.",
		onkeydown: key, onpointerdown: pointer, onpointerup: pointer,
		onpointercancel: pointer,
		onpointerleave: () => { tip.hidden = true; } });
	canvas.addEventListener("pointermove", (event) => {
		pointer(event);
		hover(event);
	});
	canvas.addEventListener("wheel", wheel, { passive: false });
	tip = el("div", { class: "tip", hidden: true });
	detail = el("p", { id: "detail", class: "detail" });
	const name = captures.fileName(capture);
	const shell = name.endsWith(".gz") ? `gunzip -k ${name} && go tool trace ` +
	    name.slice(0, -3) : `go tool trace ${name}`;
	const other = "trace?format=perfetto&seconds=5";
	find("viewer").replaceChildren(
	    el("header", { class: "bar" },
		el("button", { type: "button", class: "quiet", onclick: home,
			"aria-label": "All profiles" }, "← Profiles"),
		el("h1", { id: "title" }, "Time line"), el("span", { class: "grow" }),
		el("a", { class: "button", href: captures.link(capture),
			download: captures.fileName(capture) }, "Save")),
	    el("div", { class: "controls" }, picker(), steps(), legend()),
	    el("p", { class: "facts", id: "facts" }, facts(capture)),
	    el("div", { class: "lanes" }, canvas), tip, detail,
	    el("div", { class: "wide" }, slowest()),
	    el("p", { class: "note" }, "All of it, with every event: save it, then ",
		el("code", {}, shell), " ", el("button", { type: "button", class: "quiet",
		onclick: () => copy(shell) }, "Copy"),
		" For ", el("code", {}, "ui.perfetto.dev"), " take one of its form: ",
		el("a", { href: other, download: "" }, other)));
	resized.disconnect();
	resized.observe(canvas.parentElement);
}

const resized = new ResizeObserver(() => draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => canvas && draw());

export async function view(state, capture) {
	document.title = `Time line on ${BASE.host}`;
	if (trace === null || trace.key !== capture.id || find("timeline") === null) {
		trace = { key: capture.id,
			...await ask("trace", { key: capture.id, bytes: capture.bytes }) };
		place = arrangeLanes(trace.rows);
		chosen = 0;
		route = state.fn;
		build(capture);
	}
	route = trace.tasks.some(({ name }) => name === state.fn) ? state.fn : "";
	find("route").value = route;
	const [from, to] = state.zoom.split("_").map(Number);
	part = to > from && from >= 0 ? [from, Math.min(to, trace.seconds)] : [0, trace.seconds];
	delete find("viewer").dataset.blank;
	draw();
	find("viewer").dataset.ready = String(++turns);
}
