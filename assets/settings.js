/*
 * The rates: what the page says becomes a form. The service says what is
 * allowed; its sentence is shown.
 *
 * Rule: POST goes out with X-Pprof: 1, which no page of another site can send.
 */
import { el, find, say } from "./dom.js";
import { BASE } from "./take.js";

const UNITS = { heap_rate: "bytes between samples", block_rate: "ns waited between samples",
	mutex_fraction: "one contention in so many" };

async function ask(options) {
	const response = await fetch(new URL("settings", BASE), { cache: "no-store", ...options });
	const text = await response.text();
	if (!response.ok)
		throw new Error(text.trim());
	return JSON.parse(text);
}

function show(values) {
	for (const [name, value] of Object.entries(values)) {
		find("set-" + name).value = value;
		const cell = find("rate-" + name);
		if (cell !== null)
			cell.textContent = value === 0 ? "off" : value;
	}
}

async function save(form) {
	try {
		const values = await ask({ method: "POST", headers: { "X-Pprof": "1" },
			body: new URLSearchParams(new FormData(form)) });
		show(values);
		say("Set: " + Object.entries(values).map(([name, value]) => `${name} ${value}`)
		    .join(", "));
	} catch (error) {
		say(error.message);
	}
}

/* The form is there at once; its values are those in the page. If nothing can
 * be set, the page says so, and there is no form. */
export function buildSettings() {
	if (find("settings-locked") !== null)
		return;
	const form = el("form", { id: "settings", onsubmit: (event) => {
		event.preventDefault();
		save(form);
	} });
	for (const [name, unit] of Object.entries(UNITS)) {
		const now = find("rate-" + name)?.dataset.value ?? "0";
		form.append(el("label", { title: unit }, el("span", {}, name),
		    el("input", { id: "set-" + name, name, type: "text", inputmode: "numeric",
			value: now, "aria-describedby": "rates" })));
	}
	form.append(el("button", { id: "set" }, "Set"));
	find("rates").after(form);
}
