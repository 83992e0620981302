/*
 * What the page keeps of captures: the newest over a reload, the others in
 * memory, and it says which; and what must not be kept of a page that was left.
 */
import { check, equal, Page } from "./page.mjs";

const list = (page) => page.$$eval("#list tr", (rows) => rows.map((row) =>
    [row.querySelector(".name")?.textContent, row.textContent.includes("gone after a reload")]));

/* Random bytes: gzip makes them no smaller, and base64 larger. */
function noise(page, name, size) {
	return page.evaluate(async ([text, length]) => {
		const bytes = new Uint8Array(length);
		for (let at = 0; at < length; at += 65536)
			crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65536)));
		const { $captures } = await import(new URL("assets/app.js", document.baseURI).href);
		await $captures.add("file:" + text, text, bytes);
	}, [name, size]);
}

async function full(self) {
	const { page } = self;
	await self.go();
	for (const name of ["a", "b", "c", "d"])
		await noise(page, name, 1400000);
	await noise(page, "large", 1600000);
	await noise(page, "small", 1000);
	const told = await list(page), kept = told.filter(([, gone]) => !gone).map(([name]) => name);
	equal(told.map(([name]) => name), ["small", "large", "d", "c", "b", "a"], "the list");
	check(kept.includes("small") && kept.includes("d"), "the newest are kept: " + kept);
	check(!kept.includes("a") && !kept.includes("large"), "the others are not: " + kept);
	await page.reload();
	await page.waitForSelector("html[data-ready]");
	equal((await list(page)).map(([name]) => name), kept, "after a reload");
}

/* A search and a zoom are told the address a little later: not to one that is
 * another page's by then. */
async function left(self, profile) {
	const { page } = self;
	await self.go();
	await self.openFile(profile);
	await page.evaluate(() => {
		const search = document.getElementById("q");
		search.value = "late";
		search.dispatchEvent(new Event("input"));
		document.querySelector("#viewer .bar button").click();
	});
	await page.waitForTimeout(500);
	equal(await page.evaluate(() => location.hash), "", "the address of the index");
	await page.click("#list [aria-label^=Forget]");
}

export default async function (browser, { profile }) {
	const self = await Page.open(browser);
	await left(self, profile);
	await full(self);
	await self.end();
}
