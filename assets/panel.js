/*
 * The index page's form, with scripts: which profile, how long, Capture with a
 * countdown and Cancel, the command that does the same, and a button in each
 * row of the list of profiles.
 *
 * Rule: the form is the one that is in the page without scripts; here it only
 * learns more.
 */
import * as captures from "./captures.js";
import { copy, el, find, say, select } from "./dom.js";
import { go } from "./state.js";
import { command, take, title } from "./take.js";

let form, what, shell, controller = null;

/* The page says what each profile takes: "hz", "time", "delta" or "now". */
function profiles() {
	return [...document.querySelectorAll("tr[data-takes]")].map((row) =>
	    ({ row, name: row.dataset.name, link: row.querySelector("a").getAttribute("href")
	        .split("?")[0], takes: row.dataset.takes }));
}

function choices() {
	return profiles().flatMap(({ name, link, takes }) => {
		if (takes === "hz")
			return [[link, "CPU time"]];
		if (takes === "time")
			return [[link, "Time line (trace)"]];
		const now = [[link, `${name} now`]];
		return takes === "delta" ? [...now, [link + "+", `${name}: change in that time`]] : now;
	});
}

function source() {
	const chosen = what.value, name = chosen.replace("+", "");
	const seconds = form.elements.seconds.value;
	if (name === "profile")
		return `profile?seconds=${seconds}&hz=${form.elements.hz.value}`;
	return chosen.endsWith("+") || name === "trace" ? `${name}?seconds=${seconds}` : name;
}

function update() {
	const cpu = what.value === "profile";
	form.elements.hz.closest("label").hidden = !cpu;
	form.elements.seconds.closest("label").hidden = !cpu && !what.value.endsWith("+") &&
	    what.value !== "trace";
	shell.textContent = command(source());
}

/* While a profile is taken, everything that would begin another one is off. */
function busy(on) {
	const held = form.contains(document.activeElement) ||
	    find("taking").contains(document.activeElement);
	find("run").hidden = on;
	find("taking").hidden = !on;
	if (held)
		find(on ? "cancel" : "run").focus();
	for (const button of document.querySelectorAll(".open"))
		button.disabled = on;
}

async function run(from) {
	const bar = find("bar"), left = find("left");
	controller = new AbortController();
	busy(true);
	find("taken").textContent = title(from);
	say(`Taking ${title(from)}.`);
	/* The script is there when the profile is. */
	import(from.startsWith("trace") ? "./timeline.js" : "./viewer.js").catch(() => {});
	try {
		const capture = await take(from, controller.signal, (part, text) => {
			left.textContent = text;
			if (part === null)
				bar.removeAttribute("value");
			else
				bar.value = part;
		});
		say(`${capture.title}: taken.`);
		go({ src: from, c: capture.id, view: "", type: "", filters: {} });
	} catch (error) {
		say(error.name === "AbortError" ? `${title(from)}: cancelled.` :
		    `${title(from)}: ${error.message}`);
	} finally {
		busy(false);
	}
}

const TAKES = { hz: "Take a CPU profile", time: "Take a trace of a second" };

function addButtons() {
	for (const { row, link, takes } of profiles())
		row.lastElementChild.append(el("button", { type: "button", class: "quiet open",
			"aria-label": TAKES[takes] ?? `Open ${link}`,
			onclick: () => run(takes in TAKES ?
			    `${link}?seconds=${takes === "time" ? 1 : form.elements.seconds.value}` :
			    link) },
		takes in TAKES ? "Capture" : "Open"));
}

export function openFile(file) {
	file.arrayBuffer().then(async (buffer) => {
		const capture = await captures.add("file:" + file.name, file.name,
		    new Uint8Array(buffer));
		go({ src: capture.source, c: capture.id, view: "", filters: {} });
	}, () => say(`"${file.name}" cannot be read.`));
}

export function buildPanel() {
	form = find("take-form");
	what = select({ id: "what", onchange: update }, choices(), "profile");
	form.prepend(el("label", {}, el("span", {}, "What"), what));
	shell = find("shell");
	find("run").textContent = "Capture";
	find("shell-box").append(el("button", { type: "button", class: "quiet", id: "copy",
		onclick: () => copy(shell.textContent) }, "Copy"));
	form.after(el("div", { id: "taking", class: "row", hidden: true },
	    el("strong", { id: "taken" }), el("progress", { id: "bar", max: 1 }),
	    el("span", { id: "left", class: "note" }),
	    el("button", { type: "button", id: "cancel",
		onclick: () => controller.abort() }, "Cancel")));
	form.addEventListener("input", update);
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		run(source());
	});
	addButtons();
	update();
	const drop = document.documentElement;
	drop.addEventListener("dragover", (event) => event.preventDefault());
	drop.addEventListener("drop", (event) => {
		event.preventDefault();
		if (event.dataTransfer.files.length > 0)
			openFile(event.dataTransfer.files[0]);
	});
}
