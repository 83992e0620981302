/*
 * The time line's pixels: an axis, a row for each thread with what ran there,
 * below it what waited meanwhile.
 *
 * Not what is shown (timeline.js).
 *
 * Rule: what is narrower than a pixel is drawn as one, once: a column of pixels
 * costs the same however much happened in it.
 */
import { RUNS, CALLS, WAITS } from "./trace_decode.js";
import { amount } from "./numbers.js";

export const GUTTER = 92;
const AXIS = 22, BAR = 18, WAIT = 8, GAP = 12;

const COLOURS = {
	light: { [RUNS]: "#2f8f57", [CALLS]: "#c23b22", [WAITS]: "#7d8fa9", 3: "#d9a441",
		dim: "#e1e5ea", text: "#1a202b", soft: "#586373", line: "#d9dde3", focus: "#8a5cf0" },
	dark: { [RUNS]: "#4cb97b", [CALLS]: "#f07a62", [WAITS]: "#6d7f99", 3: "#d9a441",
		dim: "#2a313b", text: "#e4e8ee", soft: "#9aa6b5", line: "#323a46", focus: "#b18cff" },
};

export function colours() {
	return COLOURS[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"];
}

/* Where each lane stands: [{ row, bars, top, height, wait }...], and the height of all. */
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

function axis(pen, { from, to, width, height }, colour) {
	const step = steps(to - from, width - GUTTER), scale = (width - GUTTER) / (to - from);
	pen.textAlign = "center";
	for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
		const x = GUTTER + (at - from) * scale;
		pen.fillStyle = colour.line;
		pen.fillRect(Math.round(x), AXIS - 6, 1, height);
		pen.fillStyle = colour.soft;
		pen.fillText(amount(Math.round(at * 1e9), "nanoseconds"), x, 9);
	}
}

/*
 * `match(g)`: whether its bars are in colour. They begin and end at whole
 * pixels: a part of one would be mixed with what is behind it, and a short bar
 * would have the colour of no state.
 */
function bars(pen, lane, { from, to, width, match, chosen }, colour) {
	const { bars: list, top, height } = lane, scale = (width - GUTTER) / (to - from);
	const place = (at) => GUTTER + Math.floor((at - from) * scale);
	let drawn = -1;
	for (let i = firstAfter(list, from); i < list.start.length && list.start[i] < to; i++) {
		const x = Math.max(GUTTER, place(list.start[i]));
		const right = Math.min(width, Math.max(x + 1, place(list.end[i])));
		const mine = list.g[i] === chosen;
		if (right - x === 1 && x === drawn && !mine)
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
}

function texts(pen, lane, { from, to, width, names }) {
	const list = lane.bars, scale = (width - GUTTER) / (to - from);
	pen.fillStyle = "#ffffff";
	pen.textAlign = "left";
	for (let i = firstAfter(list, from); i < list.start.length && list.start[i] < to; i++) {
		const x = GUTTER + Math.max(0, (list.start[i] - from) * scale);
		const room = Math.min(width, GUTTER + (list.end[i] - from) * scale) - x - 6;
		const name = names.get(list.g[i]) ?? "";
		if (room > 24 && pen.measureText(name).width <= room)
			pen.fillText(name, x + 3, lane.top + lane.height / 2);
	}
}

/* scene: { lanes, from, to (seconds), width, height (CSS pixels), names, match, chosen } */
export function paint(canvas, scene) {
	const ratio = devicePixelRatio || 1, colour = colours(), pen = canvas.getContext("2d");
	canvas.width = Math.round(scene.width * ratio);
	canvas.height = Math.round(scene.height * ratio);
	canvas.style.width = scene.width + "px";
	canvas.style.height = scene.height + "px";
	pen.scale(ratio, ratio);
	pen.font = "11px system-ui, sans-serif";
	pen.textBaseline = "middle";
	axis(pen, scene, colour);
	for (const lane of scene.lanes) {
		bars(pen, lane, scene, colour);
		if (lane.wait)
			continue;
		texts(pen, lane, scene);
		pen.fillStyle = colour.text;
		pen.textAlign = "left";
		pen.fillText(lane.row.name, 0, lane.top + lane.height / 2, GUTTER - 6);
	}
}
