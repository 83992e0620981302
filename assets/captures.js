/*
 * The profiles taken or opened in this visit. They are in the page's memory
 * and, as far as there is room, in the tab's sessionStorage, so that a reload
 * finds them. Nothing outlives the tab.
 *
 * Rule: the list is bounded; the oldest capture goes first. `kept` says whether
 * a reload finds the capture.
 */
import { isTrace } from "./trace_kind.js";

const CAPTURES_MAX = 20;

/* The store has room for some 5 MB of text for a site. Three quarters of the
 * text are bytes of profiles; the bound leaves room for others. */
const STORED_MAX = 1500000;
const PREFIX = "kore-pprof.";

const list = [];
let listener = () => {};

/* The first bytes of a file, unpacked if the file is gzipped. */
async function beginning(bytes) {
	if (bytes[0] !== 0x1f || bytes[1] !== 0x8b)
		return bytes;
	const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
	    .getReader();
	const first = await reader.read().catch(() => ({}));
	reader.cancel().catch(() => {});
	return first.value ?? bytes;
}

export function onChange(call) {
	listener = call;
}

export function all() {
	return list;
}

export function get(id) {
	return list.find((capture) => capture.id === id);
}

function pack(bytes) {
	let text = "";
	for (let i = 0; i < bytes.length; i += 8192)
		text += String.fromCharCode(...bytes.subarray(i, i + 8192));
	return btoa(text);
}

function store(capture) {
	const { id, source, title, at, bytes, trace } = capture;
	capture.kept = false;
	if (bytes.length > STORED_MAX)
		return;
	const text = JSON.stringify({ id, source, title, at, trace, bytes: pack(bytes) });
	for (const oldest of [...list.filter(({ kept }) => kept), null]) {
		try {
			sessionStorage.setItem(PREFIX + id, text);
			capture.kept = true;
			return;
		} catch {
			/* If the store is full, the oldest capture goes. If the
			 * store is forbidden, there is none to go. */
			if (oldest === null)
				return;
			unstore(oldest.id);
			oldest.kept = false;
		}
	}
}

function unstore(id) {
	try {
		sessionStorage.removeItem(PREFIX + id);
	} catch {
		/* The store may be forbidden, as above. */
	}
}

export function remove(id) {
	const at = list.findIndex((capture) => capture.id === id);
	if (at < 0)
		return;
	const [gone] = list.splice(at, 1);
	if (gone.link)
		URL.revokeObjectURL(gone.link);
	unstore(id);
	listener();
}

/* `source` is what was asked for, "heap?seconds=5", or "file:NAME". */
export async function add(source, title, bytes) {
	const id = Math.random().toString(36).slice(2, 8);
	const capture = { id, source, title, at: Date.now(), bytes,
		trace: isTrace(await beginning(bytes)) };
	list.push(capture);
	while (list.length > CAPTURES_MAX)
		remove(list[0].id);
	store(capture);
	listener();
	return capture;
}

/* A link under which the browser saves the bytes. */
export function link(capture) {
	capture.link ??= URL.createObjectURL(new Blob([capture.bytes],
	    { type: "application/octet-stream" }));
	return capture.link;
}

export function fileName(capture) {
	if (capture.source.startsWith("file:"))
		return capture.source.slice(5);
	const name = capture.source.split("?")[0], at = new Date(capture.at).toISOString();
	const kind = name === "trace" ? "trace" : "pb.gz";
	return `${name}-${at.slice(0, 19).replace(/[:T]/g, "")}.${kind}`;
}

/* Brings back the captures that the tab had before a reload. */
export function restore() {
	try {
		for (const key of Object.keys(sessionStorage)) {
			if (!key.startsWith(PREFIX))
				continue;
			const saved = JSON.parse(sessionStorage.getItem(key));
			saved.bytes = Uint8Array.from(atob(saved.bytes), (c) => c.charCodeAt(0));
			saved.kept = true;
			list.push(saved);
		}
	} catch {
		/* The store is forbidden, or a text in it is not ours: then
		 * there is nothing more. */
	}
	list.sort((a, b) => a.at - b.at);
}
