/*
 * The captures of this visit, as a list on the index page. A capture can be
 * opened, saved and forgotten, and two can be compared. Files from disk come in
 * here, too.
 */
import * as captures from "./captures.js";
import { el, find } from "./dom.js";
import { clock, size } from "./numbers.js";
import { openFile } from "./panel.js";
import { go } from "./state.js";
import { title } from "./take.js";

/* The ids of the captures that are ticked; if there are two, they are compared,
 * the older one first. */
const ticked = new Set();

function row(capture) {
	const name = `${capture.title}, ${clock(capture.at)}`;
	return el("tr", {},
	    el("td", {}, capture.trace ? null : el("input", { type: "checkbox",
		"aria-label": "Compare " + name, checked: ticked.has(capture.id), onchange: (event) => {
			if (event.target.checked)
				ticked.add(capture.id);
			else
				ticked.delete(capture.id);
			showCompare();
		} })),
	    el("td", {}, el("button", { type: "button", class: "name",
		onclick: () => go({ src: capture.source, c: capture.id }) },
	    capture.title || title(capture.source))),
	    el("td", {}, clock(capture.at)),
	    el("td", { class: "note" }, capture.kept ? "" : "gone after a reload"),
	    el("td", { class: "number" }, size(capture.bytes.length)),
	    el("td", { class: "actions" }, el("a", { class: "button", href: captures.link(capture),
		download: captures.fileName(capture) }, "Save"),
	    el("button", { type: "button", class: "quiet", "aria-label": "Forget " + name,
		onclick: () => captures.remove(capture.id) }, "Forget")));
}

function showCompare() {
	const chosen = captures.all().filter((capture) => ticked.has(capture.id));
	find("compare").disabled = chosen.length !== 2;
	find("compare").onclick = () => go({ base: chosen[0].source, b: chosen[0].id,
		src: chosen[1].source, c: chosen[1].id });
}

function build() {
	const file = el("input", { type: "file", id: "file", class: "hidden",
		onchange: () => file.files.length > 0 && openFile(file.files[0]) });
	find("captures").append(
	    el("h2", { id: "captured" }, "Captures of this visit"),
	    el("div", { class: "wide" }, el("table", {}, el("tbody", { id: "list" }))),
	    el("div", { class: "row" },
		el("button", { type: "button", id: "compare", disabled: true }, "Compare two"),
		el("label", { class: "button", for: "file" }, file, "Open a file"),
		el("span", { class: "note" }, "They are in this tab only, and gone with it.")));
	find("captures").hidden = false;
}

export function showList() {
	if (find("list") === null)
		build();
	const all = captures.all();
	for (const id of ticked) {
		if (captures.get(id) === undefined)
			ticked.delete(id);
	}
	find("list").replaceChildren(...all.map(row).reverse());
	if (all.length === 0)
		find("list").append(el("tr", {}, el("td", { class: "note" },
		    "None yet. Capture one above, or open a saved file.")));
	showCompare();
}
