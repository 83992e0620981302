/*
 * This turns samples into sums for the tables: flat and cumulative of each
 * function, callers and callees, lines, the call graph, groups of labels. It
 * runs in the Worker.
 *
 * Rule: the sums are those of `go tool pprof`. If a function is in a stack
 * several times, it counts once, and so does an edge; a function's call of
 * itself is no edge.
 */
import { eachSample, walkStack } from "./tree.js";

function columns(view) {
	return [0, 1].map((side) => new Float64Array(side === 0 || view.paired ?
	    view.names.length : 0));
}

/* Returns { flat: [left, right], cum: [left, right], total: [left, right] }. */
export function totals(view) {
	const flat = columns(view), cum = columns(view), total = [0, 0];
	const seen = new Int32Array(view.names.length);
	let turn = 0, side = 0, value = 0, leaf = -1;
	function step(frame) {
		leaf = frame;
		if (seen[frame] === turn)
			return;
		seen[frame] = turn;
		cum[side][frame] += value;
	}
	eachSample(view, (which, amount, profile, names, sample) => {
		turn++;
		side = which;
		value = amount;
		leaf = -1;
		walkStack(profile, names, sample, false, step);
		total[side] += value;
		if (leaf >= 0)
			flat[side][leaf] += value;
	});
	return { flat, cum, total };
}

/* Sums by any key, for both sides. */
class Sums {
	constructor() {
		this.rows = new Map();
	}

	add(key, side, value) {
		let row = this.rows.get(key);
		if (row === undefined)
			this.rows.set(key, row = [0, 0]);
		row[side] += value;
	}

	/* [[key, left, right]...], the largest first. */
	sorted() {
		return [...this.rows].map(([key, [left, right]]) => [key, left, right])
		    .sort((a, b) => Math.abs(b[1]) + Math.abs(b[2]) -
			Math.abs(a[1]) - Math.abs(a[2]));
	}
}

/* Callers, callees and lines of one name. Frame -1 is "nothing above" or
 * "nothing below". A line is a number in a file: two functions of one name are
 * in two files. */
export function around(view, wanted) {
	const callers = new Sums(), callees = new Sums(), lines = new Sums();
	const lineFlat = new Sums();
	eachSample(view, (side, value, profile, names, sample) => {
		const up = new Set(), down = new Set(), at = new Set();
		let before = -1, line = "";
		walkStack(profile, names, sample, false, (frame, place) => {
			line = frame === wanted ? profile.line[place] + ":" +
			    profile.allFiles[profile.fileAt[place]] : "";
			if (frame === wanted) {
				at.add(line);
				if (before !== wanted)
					up.add(before);
			} else if (before === wanted) {
				down.add(frame);
			}
			before = frame;
		});
		if (before === wanted) {
			down.add(-1);
			lineFlat.add(line, side, value);
		}
		for (const frame of up)
			callers.add(frame, side, value);
		for (const frame of down)
			callees.add(frame, side, value);
		for (const key of at)
			lines.add(key, side, value);
	});
	const flat = lineFlat.rows;
	return { callers: callers.sorted(), callees: callees.sorted(),
		lines: lines.sorted().map(([key, left, right]) => ({ number: parseInt(key, 10),
			file: key.slice(key.indexOf(":") + 1), cum: [left, right],
			flat: flat.get(key) ?? [0, 0] })) };
}

/* The most important functions and the calls between them. If a function is
 * left out, its caller seems to call its callee. */
export function graph(view, sums, count) {
	const size = (frame) => Math.abs(sums.cum[0][frame]) + 2 * Math.abs(sums.flat[0][frame]) +
	    (view.paired ? Math.abs(sums.cum[1][frame]) + 2 * Math.abs(sums.flat[1][frame]) : 0);
	const chosen = [...view.names.keys()].filter((frame) => size(frame) > 0)
	    .sort((a, b) => size(b) - size(a)).slice(0, count);
	const place = new Int32Array(view.names.length).fill(-1);
	const edges = new Sums(), gaps = new Set();
	let before, seen, gap, side, value;
	chosen.forEach((frame, index) => { place[frame] = index; });
	function step(frame) {
		if (place[frame] < 0) {
			gap = true;
			return;
		}
		const key = before * chosen.length + place[frame];
		if (before >= 0 && before !== place[frame] && !seen.has(key)) {
			seen.add(key);
			edges.add(key, side, value);
			if (gap)
				gaps.add(key);
		}
		before = place[frame];
		gap = false;
	}
	eachSample(view, (which, amount, profile, names, sample) => {
		before = -1;
		gap = false;
		seen = new Set();
		side = which;
		value = amount;
		walkStack(profile, names, sample, false, step);
	});
	return { frames: chosen, all: view.names.length,
		edges: edges.sorted().map(([key, left, right]) =>
		    ({ from: Math.floor(key / chosen.length), to: key % chosen.length,
			left, right, gap: gaps.has(key) })) };
}

/* Sums by the values of the given label keys: [[values...], left, right]. */
export function groups(view, keys) {
	const sums = new Sums(), samples = new Sums();
	eachSample(view, (side, value, profile, names, sample) => {
		const found = keys.map(() => "");
		for (let i = profile.tagAt[sample]; i < profile.tagAt[sample + 1]; i++) {
			const tag = profile.tags[profile.tag[i]], at = keys.indexOf(tag.key);
			if (at >= 0)
				found[at] = tag.value;
		}
		const key = JSON.stringify(found);
		sums.add(key, side, value);
		samples.add(key, 0, 1);
	});
	return sums.sorted().map(([key, left, right]) =>
	    ({ values: JSON.parse(key), left, right, samples: samples.rows.get(key)[0] }));
}

/* Says which samples have all the wanted labels; null: all samples. "" stands
 * for the samples that do not have the key. */
export function filterMask(profile, filters) {
	const keys = Object.keys(filters);
	if (keys.length === 0)
		return null;
	const has = profile.tags.map((tag) => keys.map((key) => tag.key === key));
	const fits = profile.tags.map((tag) => tag.value === filters[tag.key]);
	const mask = new Uint8Array(profile.count);
	for (let sample = 0; sample < profile.count; sample++) {
		const left = new Set(keys);
		let ok = true;
		for (let i = profile.tagAt[sample]; i < profile.tagAt[sample + 1]; i++) {
			const tag = profile.tag[i];
			if (!has[tag].includes(true))
				continue;
			if (fits[tag])
				left.delete(profile.tags[tag].key);
			else if (filters[profile.tags[tag].key] === "")
				ok = false;
		}
		for (const key of left)
			ok &&= filters[key] === "";
		mask[sample] = ok ? 1 : 0;
	}
	return mask;
}

/* Returns each label key with its values and how many samples have each, the
 * most frequent value first. */
export function labelKeys(profile) {
	const counts = new Int32Array(profile.tags.length), keys = new Map();
	for (const tag of profile.tag)
		counts[tag]++;
	profile.tags.forEach((tag, index) => {
		if (!keys.has(tag.key))
			keys.set(tag.key, { key: tag.key, number: tag.number, values: [] });
		keys.get(tag.key).values.push([tag.value, counts[index]]);
	});
	for (const key of keys.values())
		key.values.sort((a, b) => b[1] - a[1]);
	return [...keys.values()].sort((a, b) => (a.number - b.number) ||
	    (a.key < b.key ? -1 : 1));
}
