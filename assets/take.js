/*
 * Asks the service for a profile: how long, what it is called, and the request
 * itself, which can be cancelled.
 *
 * Rule: to cancel is to close the connection; the service then ends the work
 * for it.
 */
import * as captures from "./captures.js";

export const BASE = new URL(".", document.baseURI);

const TITLES = { __proto__: null,
	profile: "CPU", heap: "Heap", allocs: "Allocations", block: "Waits",
	mutex: "Locks", goroutine: "In progress", threadcreate: "Threads", trace: "Time line" };

/* Profiles that take time by themselves, and how long if the request does not
 * say. */
const SPANS = { __proto__: null, profile: 30, trace: 1 };

/* The text as people read it. If it is not encoded correctly, it stays as it
 * is. */
function plain(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

export function title(source) {
	if (source.startsWith("file:"))
		return source.slice(5);
	const [path, query] = source.split("?");
	const seconds = Number(new URLSearchParams(query).get("seconds"));
	const name = TITLES[path] ?? plain(path);
	if (!seconds)
		return name;
	return path in SPANS ? `${name}, ${seconds} s` : `${name}, change in ${seconds} s`;
}

/* The command that gets the same from a shell. */
export function command(source) {
	if (source.split("?")[0] === "trace")
		return `curl -o trace '${new URL(source, BASE)}' && go tool trace trace`;
	return `go tool pprof -http=: '${new URL(source, BASE)}'`;
}

/* Whatever a link says, only addresses below our own prefix are asked for. */
function address(source) {
	const url = URL.canParse(source, BASE.href) ? new URL(source, BASE) : null;
	if (url?.origin !== BASE.origin || !url.pathname.startsWith(BASE.pathname))
		throw new Error(`"${source}" is not a profile of this service.`);
	return url;
}

async function body(response, onBytes) {
	const parts = [];
	let length = 0;
	for (const reader = response.body.getReader(); ;) {
		const { done, value } = await reader.read();
		if (done)
			break;
		parts.push(value);
		length += value.length;
		onBytes(length);
	}
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

/*
 * Takes a profile. Meanwhile `progress(part, text)` is called: part is 0..1 of
 * the time, or null if that is not known; `signal` ends the request. Gives the
 * capture, or an Error with one sentence.
 */
export async function take(source, signal, progress) {
	const url = address(source), started = performance.now();
	const seconds = Number(url.searchParams.get("seconds")) || (SPANS[source.split("?")[0]] ?? 0);
	const tick = () => {
		const gone = (performance.now() - started) / 1000;
		if (gone < seconds)
			progress(gone / seconds, `${Math.ceil(seconds - gone)} s left`);
		else
			progress(null, "the service writes the profile");
	};
	const timer = setInterval(tick, 200);
	try {
		tick();
		const response = await fetch(url, { signal, cache: "no-store" });
		if (!response.ok) {
			const sentence = (await response.text()).trim().slice(0, 300);
			throw new Error(`${response.status}: ${sentence || response.statusText}`);
		}
		const bytes = await body(response, (length) =>
		    progress(null, `${length.toLocaleString("en")} bytes`));
		return captures.add(source, title(source), bytes);
	} catch (error) {
		if (error.name === "AbortError")
			throw error;
		if (error instanceof TypeError)
			throw new Error("The service does not answer.");
		throw error;
	} finally {
		clearInterval(timer);
	}
}
