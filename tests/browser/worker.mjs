/*
 * The Worker's script, in the page instead of in a Worker, so that its answers
 * are no copies: what it has summed is not summed again because the page opens
 * the same profile again, which it does at each step of the address.
 */
import { readFileSync } from "node:fs";
import { equal, Page } from "./page.mjs";

async function inPage(bytes) {
	const ask = (what, question) => new Promise((resolve, reject) => {
		globalThis.postMessage = ({ answer, error }) =>
			error === undefined ? resolve(answer) : reject(new Error(error));
		dispatchEvent(new MessageEvent("message", { data: { id: 1, ask: what, ...question } }));
	});
	await import(new URL("assets/worker.js", document.baseURI).href);
	const question = { key: "a", base: "", type: 1, filters: {}, normalised: false };
	const data = Uint8Array.from(bytes);
	const meta = await ask("open", { key: "a", bytes: data });
	const sums = await ask("sums", question);
	const kept = [(await ask("open", { key: "a" })).labels === meta.labels,
		(await ask("sums", question)).flat === sums.flat];
	await ask("open", { key: "a", bytes: data });
	const again = await ask("sums", question);
	return [...kept, again.flat === sums.flat, again.total[0] === sums.total[0]];
}

export default async function (browser, { file }) {
	const self = await Page.open(browser);
	await self.go();
	equal(await self.page.evaluate(inPage, [...readFileSync(file)]), [true, true, false, true],
	    "labels kept, sums kept, new ones of new bytes, which are the same");
	await self.end();
}
