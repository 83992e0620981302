/*
 * Makes elements, and tells people who cannot see the page what has happened.
 *
 * Rule: text from a profile gets into the page as a text node or as a property,
 * never as markup. There is no way here to write markup.
 */

/* el("a", { href: "#x", "aria-label": "y", onclick: f }, "text", element) */
export function el(tag, properties = {}, ...inside) {
	return fill(document.createElement(tag), properties, inside);
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, properties = {}, ...inside) {
	return fill(document.createElementNS(SVG, tag), properties, inside);
}

function fill(element, properties, inside) {
	for (const [name, value] of Object.entries(properties)) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else if (name === "class")
			element.setAttribute("class", value);
		else if (name === "value" || name === "checked")
			element[name] = value;
		else
			element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...inside.filter((part) => part !== null && part !== undefined));
	return element;
}

export const find = (id) => document.getElementById(id);

/* Puts other elements into the box. The element that had the focus keeps it, if
 * it is there again. */
export function refill(box, ...inside) {
	const { id, dataset } = document.activeElement;
	const held = box.contains(document.activeElement);
	box.replaceChildren(...inside);
	const again = id || dataset.key || dataset.sort;
	if (held && again)
		[...box.querySelectorAll("[id], [data-key], [data-sort]")].find((part) =>
		    again === (part.id || part.dataset.key || part.dataset.sort))?.focus();
}

/* Cuts a long text for a place where it would push everything else away. */
export function cut(text, most) {
	return text.length > most ? text.slice(0, most - 1) + "…" : text;
}

export function select(properties, options, chosen) {
	return el("select", properties, ...options.map(([value, text]) => {
		const option = el("option", { value }, cut(text, 60));
		option.selected = value === chosen;
		return option;
	}));
}

/* Whether a key is meant for the page: with these keys held, it is the
 * browser's. */
export function ours(event) {
	return !event.altKey && !event.ctrlKey && !event.metaKey;
}

/* Returns a function that makes the call when it was not called for a while. */
export function later(milliseconds, call) {
	let timer = 0;
	return (...more) => {
		clearTimeout(timer);
		timer = setTimeout(call, milliseconds, ...more);
	};
}

/* The page's live region has one sentence. The sentence is also seen for a
 * while, unless it says what can be seen elsewhere. */
const fade = later(6000, () => find("say").classList.remove("shown"));
export function say(sentence, seen = true) {
	find("say").textContent = sentence;
	find("say").classList.toggle("shown", seen);
	fade();
}

/* Copies the text, or shows it for copying: the clipboard is there on https and
 * on localhost only. */
export async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		say("Copied: " + text);
	} catch {
		say("");
		find("say").append("Copy this: ", el("code", {}, text));
	}
}
