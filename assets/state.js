/*
 * What the page shows is in the part of its address behind '#', so that the
 * back button, a reload and a link that is passed on show the same.
 *
 *     #src=profile?seconds=5&c=k3x9&view=top&f.http.route=/fib/&q=kore
 *
 *     src   what to ask the service for (or "file:NAME"); c: the capture of
 *           this visit that it gave. base, b: likewise, to compare with
 *     view, type, q, zoom, fn, inv, norm, sort, by, f.LABEL
 *
 * Rule: the address is the only state of a view; whoever changes something
 * changes it by go(). If a part of an address cannot be read, it is left out.
 */
import { later } from "./dom.js";

const TEXTS = ["src", "c", "base", "b", "view", "type", "q", "zoom", "fn", "sort", "by"];
const FLAGS = ["inv", "norm"];

/* Browsers and logs cut addresses that are longer. */
const LONG = 4000;

export function read(hash = location.hash) {
	const from = new URLSearchParams(hash.slice(1));
	/* A label may have any name, also a name that every object has. */
	const state = { filters: Object.create(null) };
	for (const name of TEXTS)
		state[name] = from.get(name) ?? "";
	for (const name of FLAGS)
		state[name] = from.get(name) === "1";
	for (const [name, value] of from) {
		if (name.startsWith("f.") && name.length > 2)
			state.filters[name.slice(2)] = value;
	}
	return state;
}

export function write(state) {
	const to = new URLSearchParams();
	for (const name of TEXTS) {
		if (state[name])
			to.set(name, state[name]);
	}
	for (const name of FLAGS) {
		if (state[name])
			to.set(name, "1");
	}
	for (const [name, value] of Object.entries(state.filters))
		to.set("f." + name, value);
	/* The address is kept readable where the rules of addresses allow it.
	 */
	return "#" + to.toString().replace(/%2F/g, "/").replace(/%3F/g, "?").replace(/%3A/g, ":");
}

/* Returns the filters with one more, or one less. */
export function filtered(filters, key, value) {
	const more = Object.assign(Object.create(null), filters);
	delete more[key];
	if (value !== undefined)
		more[key] = value;
	return more;
}

/* The page's views listen here: the function is called with the new state. */
let listener = () => {};
export function listen(call) {
	listener = call;
	addEventListener("popstate", () => listener(read()));
}

/* Changes the address and shows what it says. With `replace`, the back button
 * does not stop at the old address. */
export function go(changes, replace = false) {
	const state = { ...read(), ...changes };
	if (write(state).length > LONG)
		state.zoom = "";
	const address = write(state);
	if (address === location.hash)
		return;
	if (replace)
		history.replaceState(null, "", address);
	else
		history.pushState(null, "", address);
	listener(read());
}

/* Calls go() when nothing has changed for a while, unless something else is
 * shown by then. */
export function goLater(milliseconds, changes) {
	const shown = () => JSON.stringify([read().src, read().c]);
	const call = later(milliseconds, (then) => then === shown() && go(changes(), true));
	return () => call(shown());
}

/* Goes to the index. With `replace`, the old address was never shown. */
export function home(replace = false) {
	const address = location.pathname + location.search;
	if (replace === true)
		history.replaceState(null, "", address);
	else
		history.pushState(null, "", address);
	listener(read());
}

/* Makes a short name for a name in a path: paths of 100 frames have to fit. */
export function brief(name) {
	let hash = 2166136261;
	for (let i = 0; i < name.length; i++)
		hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
	return (hash >>> 0).toString(36);
}
