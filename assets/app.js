/*
 * This script adds to the page what the page does not say without scripts. One
 * address has three faces: if it has "src", the viewer on that profile; if it
 * has "view=live", the routes; otherwise the index with its captures.
 *
 * Rule: the index does not wait for the scripts of the other two faces. Such a
 * script comes when its face is first shown; the viewer's script also comes
 * when there is nothing else to do.
 */
import * as captures from "./captures.js";
import { el, find, say } from "./dom.js";
import { showList } from "./list.js";
import { buildPanel } from "./panel.js";
import { buildSettings } from "./settings.js";
import { go, home, listen, read } from "./state.js";
import { take, title } from "./take.js";

let turn = 0, cancel = null;

/* If the tab does not have the profile that the address wants, the service is
 * asked for it; meanwhile the viewer's place says so. */
async function obtain(source, id, mine) {
	const known = captures.get(id);
	if (known !== undefined)
		return known;
	if (source.startsWith("file:"))
		throw new Error(`"${source.slice(5)}" is no longer in this tab: open the file again.`);
	cancel = new AbortController();
	const wait = el("p", { class: "waiting" }), bar = el("progress", { max: 1 });
	find("viewer").replaceChildren(el("h1", {}, title(source)), bar, wait,
	    el("button", { type: "button", onclick: () => home(true) }, "Cancel"));
	find("viewer").dataset.blank = "1";
	say(`Asking the service for ${title(source)}.`);
	const capture = await take(source, cancel.signal, (part, text) => {
		wait.textContent = text;
		if (part === null)
			bar.removeAttribute("value");
		else
			bar.value = part;
	});
	if (mine !== turn)
		throw new DOMException("too late", "AbortError");
	return capture;
}

let routes = null;
async function showLive(on, state) {
	if (on)
		routes = await import("./live.js");
	routes?.live(on, state);
}

/* Puts the focus where a face begins, for people who have come to it by keys.
 */
function begin(face) {
	const heading = find(face).querySelector("h1"), at = document.activeElement;
	if (at !== document.body && at.checkVisibility())
		return;
	heading?.setAttribute("tabindex", "-1");
	heading?.focus({ preventScroll: true });
}

async function show(state) {
	const mine = ++turn, first = mine === 1;
	cancel?.abort();
	cancel = null;
	delete find("viewer").dataset.ready;
	const face = state.src !== "" ? "viewer" : state.view === "live" ? "live" : "index";
	for (const id of ["index", "live", "viewer"])
		find(id).hidden = id !== face;
	await showLive(face === "live", state);
	if (face === "index") {
		document.title = find("index").dataset.title;
		showList();
	}
	if (face !== "viewer") {
		if (!first)
			begin(face);
		return;
	}
	try {
		const capture = await obtain(state.src, state.c, mine);
		const { view } = await import(capture.trace ? "./timeline.js" : "./viewer.js");
		const base = state.base ? await obtain(state.base, state.b, mine) : null;
		if (mine !== turn)
			return;
		if (capture.id !== state.c || base && base.id !== state.b) {
			go({ c: capture.id, b: base?.id ?? "" }, true);
			return;
		}
		await view(state, capture, base);
		if (mine === turn && !first)
			begin(face);
	} catch (error) {
		if (mine !== turn || error.name === "AbortError")
			return;
		find("viewer").replaceChildren(el("h1", {}, title(state.src)),
		    el("p", { class: "waiting" }, error.message),
		    el("p", {}, el("a", { href: location.pathname }, "All profiles")));
		find("viewer").dataset.blank = "1";
		say(error.message);
	}
}

find("index").dataset.title = document.title;
captures.restore();
buildPanel();
buildSettings();
find("to-live").hidden = false;
captures.onChange(showList);
listen(show);
show(read());
performance.mark("whole");
(globalThis.requestIdleCallback ?? setTimeout)(
    () => import("./viewer.js").then(({ warm }) => warm(), () => {}));
document.documentElement.dataset.ready = "1";
