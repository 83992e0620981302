/*
 * The page's side of worker.js: it sends questions and gets answers.
 *
 * Rule: the Worker's address is the only script that is made at run time, and
 * the policy below lets no other through.
 */
const SCRIPT = new URL("./worker.js", import.meta.url).href;
const policy = globalThis.trustedTypes?.createPolicy("kore-pprof", {
	createScriptURL(url) {
		if (url !== SCRIPT)
			throw new TypeError("no script of ours");
		return url;
	},
});

let worker = null, asked = 0;
const waiting = new Map();

function start() {
	worker = new Worker(policy ? policy.createScriptURL(SCRIPT) : SCRIPT, { type: "module" });
	worker.addEventListener("message", ({ data }) => {
		const { resolve, reject } = waiting.get(data.id);
		waiting.delete(data.id);
		if (data.error === undefined)
			resolve(data.answer);
		else
			reject(new Error(data.error));
	});
	worker.addEventListener("error", (event) => {
		for (const { reject } of waiting.values())
			reject(new Error("The profile could not be worked on: " +
			    (event.message || "out of memory")));
		waiting.clear();
		worker.terminate();
		worker = null;
	});
}

/* Starts the Worker early, since that takes a while. */
export function warm() {
	if (worker === null)
		start();
}

export function ask(what, question) {
	warm();
	const id = ++asked;
	return new Promise((resolve, reject) => {
		waiting.set(id, { resolve, reject });
		worker.postMessage({ id, ask: what, ...question });
	});
}

/* Opens a capture. The Worker may have the capture already, or no longer. */
export async function open(capture) {
	try {
		return await ask("open", { key: capture.id });
	} catch (error) {
		if (error.message !== "closed")
			throw error;
		return ask("open", { key: capture.id, bytes: capture.bytes });
	}
}
