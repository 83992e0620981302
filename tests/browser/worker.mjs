/*
 * The Worker's script, without a browser around it: what it has summed is not
 * summed again because the page opens the same profile again, which it does at
 * each step of the address.
 */
import { readFileSync } from "node:fs";
import { check, equal } from "./page.mjs";

const asked = [];

/* The answer as it is, not a copy of it. */
function ask(what, question) {
	return new Promise((resolve, reject) => {
		globalThis.postMessage = ({ answer, error }) =>
			error === undefined ? resolve(answer) : reject(new Error(error));
		for (const take of asked)
			take({ data: { id: 1, ask: what, ...question } });
	});
}

export default async function (browser, { file }) {
	globalThis.addEventListener = (_, take) => asked.push(take);
	await import("../../assets/worker.js");
	const bytes = new Uint8Array(readFileSync(file));
	const question = { key: "a", base: "", type: 1, filters: {}, normalised: false };
	const meta = await ask("open", { key: "a", bytes }), sums = await ask("sums", question);
	check((await ask("open", { key: "a" })).labels === meta.labels, "labels are kept");
	check((await ask("sums", question)).flat === sums.flat, "sums are kept");
	await ask("open", { key: "a", bytes });
	const again = await ask("sums", question);
	check(again.flat !== sums.flat, "new bytes have new sums");
	equal(again.total, sums.total, "which are the same");
}
