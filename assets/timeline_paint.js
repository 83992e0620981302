/*
 * The time line's pixels: an axis, and a row for each thread with what ran
 * there; below that, what waited meanwhile.
 *
 * Not what is shown (timeline.js).
 *
 * Rule: a bar that is narrower than a pixel is drawn as one pixel, once: a
 * column of pixels costs the same however much happened in it. A short system
 * call is never lost in the bar around it: such a call is a mark at the lower
 * edge.
 */
import { RUNS, CALLS, WAITS } from "./trace_kind.js";

const AXIS = 22, BAR = 18, WAIT = 13, GAP = 10, MARK = 6;
const FONT = "11px system-ui, sans-serif", SMALL = "10px system-ui, sans-serif";

/* Names of threads have this part of the width at most. */
const NAMES = 0.3;

const COLOURS = {
	light: { [RUNS]: "#2f8f57", [CALLS]: "#c23b22", [WAITS]: "#7d8fa9", 3: "#d9a441",
		dim: "#e1e5ea", text: "#1a202b", soft: "#586373", line: "#d9dde3", focus: "#8a5cf0" },
	dark: { [RUNS]: "#4cb97b", [CALLS]: "#f07a62", [WAITS]: "#6d7f99", 3: "#d9a441",
		dim: "#2a313b", text: "#e4e8ee", soft: "#9aa6b5", line: "#323a46", focus: "#b18cff" },
};

export function colours() {
	return COLOURS[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"];
}

/* Returns where each lane stands: [{ row, bars, top, height, wait }...], and
 * the height of all. */
export function arrangeLanes(rows) {
	const lanes = [];
	let top = AXIS;
	for (const row of rows) {
		lanes.push({ row, bars: row.bars, top, height: BAR, wait: false });
		top += BAR + 2;
		for (const bars of row.waits) {
			lanes.push({ row, bars, top, height: WAIT, wait: true });
			top += WAIT + 1;
		}
		top += GAP;
	}
	return { lanes, height: top };
}

/* Returns how wide the names beside the lanes are. */
export function gutterOf(lanes, width) {
	const pen = new OffscreenCanvas(1, 1).getContext("2d");
	pen.font = FONT;
	return Math.min(Math.round(NAMES * width), 8 + Math.ceil(Math.max(0, ...lanes.map(({ row }) =>
	    pen.measureText(row.name).width))));
}

/* Returns as much of a text as there is room for. */
function fitting(pen, text, room) {
	if (pen.measureText(text).width <= room)
		return text;
	let most = text.length - 1;
	while (most > 0 && pen.measureText(text.slice(0, most) + "…").width > room)
		most--;
	return most > 3 ? text.slice(0, most) + "…" : "";
}

/* Shortens the name of a thread so that its number stays: the number tells
 * threads apart. */
function rowName(pen, name, room) {
	return pen.measureText(name).width <= room ? name :
	    fitting(pen, name.replace(/worker (\d+) thread/, "w$1"), room);
}

/* The first bar that ends after `at`: bars of a lane follow each other. */
export function firstAfter(bars, at) {
	let low = 0, high = bars.end.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (bars.end[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

function steps(seconds, width) {
	const least = seconds / Math.max(2, width / 110);
	let step = 10 ** Math.floor(Math.log10(least));
	for (const more of [1, 2, 5, 10]) {
		if (more * step >= least) {
			step *= more;
			break;
		}
	}
	return step;
}

/* Writes a time with as many digits as tell it apart from the next tick. */
function tick(at, step, to) {
	const [unit, size] = [["s", 1], ["ms", 1e-3], ["µs", 1e-6]].find(([, one]) => to >= one) ??
	    ["ns", 1e-9];
	const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-6));
	return `${(at / size).toFixed(digits)} ${unit}`;
}

function axis(pen, { from, to, width, height, gutter }, colour) {
	const step = steps(to - from, width - gutter), scale = (width - gutter) / (to - from);
	pen.textAlign = "left";
	for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
		const x = gutter + (at - from) * scale;
		const text = tick(at, step, to);
		const wide = pen.measureText(text).width;
		pen.fillStyle = colour.line;
		pen.fillRect(Math.round(x), AXIS - 6, 1, height);
		pen.fillStyle = colour.soft;
		pen.fillText(text, Math.max(0, Math.min(x - wide / 2, width - wide - 1)), 9);
	}
}

/*
 * `match(g)` says whether the bars of g are in colour. Bars begin and end at
 * whole pixels: a part of a pixel would be mixed with what is behind it, and a
 * short bar would have the colour of no state.
 */
function bars(pen, lane, { from, to, width, gutter, match, chosen }, colour) {
	const { bars: list, top, height } = lane, scale = (width - gutter) / (to - from);
	const place = (at) => gutter + Math.floor((at - from) * scale);
	const marks = [];
	let drawn = -1;
	for (let i = firstAfter(list, from); i < list.start.length && list.start[i] < to; i++) {
		const x = Math.max(gutter, place(list.start[i]));
		const right = Math.min(width, Math.max(x + 1, place(list.end[i])));
		const mine = list.g[i] === chosen, short = right - x === 1;
		if (short && list.state[i] === CALLS && match(list.g[i]) && marks.at(-1) !== x)
			marks.push(x);
		if (short && x === drawn && !mine)
			continue;
		drawn = x;
		pen.fillStyle = match(list.g[i]) ? colour[list.state[i]] : colour.dim;
		pen.fillRect(x, top, right - x - (right - x > 3 ? 0.5 : 0), height);
		if (mine) {
			pen.strokeStyle = colour.focus;
			pen.lineWidth = 2;
			pen.strokeRect(x, top - 1, Math.max(2, right - x), height + 2);
		}
	}
	pen.fillStyle = colour[CALLS];
	for (const x of marks)
		pen.fillRect(x, top + height - MARK, 1, MARK);
}

/* Writes names into bars that have room for a readable part of them. */
function texts(pen, lane, { from, to, width, gutter, names, match }) {
	const list = lane.bars, scale = (width - gutter) / (to - from);
	pen.font = lane.wait ? SMALL : FONT;
	pen.textAlign = "left";
	pen.fillStyle = lane.wait ? "#10151c" : "#ffffff";
	for (let i = firstAfter(list, from); i < list.start.length && list.start[i] < to; i++) {
		const x = gutter + Math.max(0, (list.start[i] - from) * scale);
		const room = Math.min(width, gutter + (list.end[i] - from) * scale) - x - 6;
		if (room > 40 && match(list.g[i]))
			pen.fillText(fitting(pen, names.get(list.g[i]) ?? "", room), x + 3,
			    lane.top + lane.height / 2 + (lane.wait ? 0.5 : 0));
	}
	pen.font = FONT;
}

/* scene: { lanes, from, to (seconds), width, height, gutter (CSS pixels), names, match,
 * chosen } */
export function paint(canvas, scene) {
	const ratio = devicePixelRatio || 1, colour = colours(), pen = canvas.getContext("2d");
	canvas.width = Math.round(scene.width * ratio);
	canvas.height = Math.round(scene.height * ratio);
	canvas.style.width = scene.width + "px";
	canvas.style.height = scene.height + "px";
	pen.scale(ratio, ratio);
	pen.font = FONT;
	pen.textBaseline = "middle";
	axis(pen, scene, colour);
	for (const lane of scene.lanes) {
		bars(pen, lane, scene, colour);
		texts(pen, lane, scene);
		if (lane.wait)
			continue;
		pen.fillStyle = colour.text;
		pen.fillText(rowName(pen, lane.row.name, scene.gutter - 6), 0,
		    lane.top + lane.height / 2);
	}
}
