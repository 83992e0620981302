/*
 * The Worker holds the profiles that are open, and answers the page's questions
 * about them, one at a time, in the order in which they were asked.
 *
 * No drawing and no state of the page: every question says all that it needs.
 *
 *     page: { id, ask: "open", key, bytes } or { id, ask: "sums", ...view }
 *     here: { id, answer } or { id, error: "one sentence" }
 *
 * Rule: if a question cannot be answered, its answer is an error; the Worker
 * must outlive it.
 */
import { decode, gunzip } from "./decode.js";
import { around, filterMask, graph, groups, labelKeys, totals } from "./tables.js";
import { decodeTrace } from "./trace_decode.js";
import { isTrace } from "./trace_kind.js";
import { buildTree, treeBuffers } from "./tree.js";

/* The trace whose stacks are asked for. */
let traced = { key: "", frames: () => [] };

/* So many decoded profiles are kept; the page sends the bytes again if it has
 * to. */
const OPEN_MAX = 4;
const open = new Map();

/* The last view and its sums: every tab of a page asks for the same sums. */
let last = { key: "", view: null, sums: null };

function remember(key, profile) {
	open.delete(key);
	open.set(key, profile);
	if (open.size > OPEN_MAX)
		open.delete(open.keys().next().value);
}

function find(key) {
	const profile = open.get(key);
	if (profile === undefined)
		throw new Error("closed");
	remember(key, profile);
	return profile;
}

/* Makes one list of names for both profiles. */
function mergeNames(a, b) {
	const known = new Map(a.names.map((name, index) => [name, index]));
	const merged = { names: a.names.slice(), files: a.files.slice(),
		objects: a.objects.slice(), objectOf: [...a.objectOf] };
	const object = b.objects.map((name) => {
		if (!merged.objects.includes(name))
			merged.objects.push(name);
		return merged.objects.indexOf(name);
	});
	merged.map = Int32Array.from(b.names, (name, index) => {
		if (known.has(name))
			return known.get(name);
		merged.objectOf.push(object[b.objectOf[index]]);
		merged.files.push(b.files[index]);
		return merged.names.push(name) - 1;
	});
	return merged;
}

/* pprof -normalize rounds each value, and this does not: they differ by less
 * than one each. */
function normalScale(base, profile, baseType, type) {
	const sum = (p, t) => {
		let total = 0;
		for (let i = t; i < p.values.length; i += p.types.length)
			total += p.values[i];
		return total;
	};
	const own = sum(profile, type);
	return own === 0 ? 1 : sum(base, baseType) / own;
}

function sameType(profile, wanted) {
	const index = profile.types.findIndex((t) =>
	    t.type === wanted.type && t.unit === wanted.unit);
	if (index < 0)
		throw new Error(`The profile to compare with has no "${wanted.type}" in ` +
		    `${wanted.unit}; compare profiles of one kind.`);
	return index;
}

/* Makes the view that sums are taken of: sides, names for both, whether there
 * are two. */
function makeView({ key, base, type, filters, normalised }) {
	const profile = find(key);
	const side = { profile, names: null, type, mask: filterMask(profile, filters), scale: 1 };
	if (!base)
		return { sides: [side], names: profile.names, files: profile.files,
			objects: profile.objects, objectOf: [...profile.objectOf],
			signed: profile.negative, paired: profile.negative };
	const before = find(base), beforeType = sameType(before, profile.types[type]);
	const merged = mergeNames(before, profile);
	if (normalised)
		side.scale = normalScale(before, profile, beforeType, type);
	side.names = merged.map;
	return { sides: [{ profile: before, names: null, type: beforeType,
		mask: filterMask(before, filters), scale: 1 }, side],
		...merged, signed: false, paired: true };
}

function viewOf(question) {
	const { key, base, type, filters, normalised } = question;
	const id = JSON.stringify([key, base, type, filters, normalised]);
	if (last.key !== id) {
		const view = makeView(question);
		last = { key: id, view, sums: totals(view) };
	}
	return last;
}

const answers = {
	async open({ key, bytes }) {
		if (bytes) {
			remember(key, decode(await gunzip(bytes)));
			last = { key: "", view: null, sums: null };
		}
		const p = find(key);
		p.labels ??= labelKeys(p);
		return { types: p.types, defaultType: p.defaultType, time: p.time,
			duration: p.duration, period: p.period, periodType: p.periodType,
			comments: p.comments, samples: p.count, negative: p.negative,
			labels: p.labels };
	},
	sums(question) {
		const { view, sums } = viewOf(question);
		return { names: view.names, files: view.files, objects: view.objects,
			objectOf: view.objectOf, paired: view.paired, signed: view.signed,
			...sums };
	},
	tree(question) {
		return buildTree(viewOf(question).view, question.inverted);
	},
	around(question) {
		return around(viewOf(question).view, question.frame);
	},
	graph(question) {
		const { view, sums } = viewOf(question);
		return graph(view, sums, question.count);
	},
	async trace({ key, bytes }) {
		const { frames, ...told } = decodeTrace(isTrace(bytes) ? bytes : await gunzip(bytes));
		traced = { key, frames };
		return told;
	},
	frames({ key, stack }) {
		return traced.key === key ? traced.frames(stack) : [];
	},
	groups(question) {
		return groups(viewOf(question).view, question.keys);
	},
};

async function answer({ id, ask, ...question }) {
	try {
		const result = await answers[ask](question);
		postMessage({ id, answer: result }, ask === "tree" ? treeBuffers(result) : []);
	} catch (error) {
		postMessage({ id, error: error.message });
	}
}

let queue = Promise.resolve();
addEventListener("message", (event) => {
	queue = queue.then(() => answer(event.data));
});
