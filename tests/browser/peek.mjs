/*
 * What the page says of single functions, of calls and of a search, in numbers,
 * for comparison with what go tool pprof says of the same bytes.
 */
import { check, Page } from "./page.mjs";

/* Change what the address says, as a link would. */
function changed(self, changes) {
	return self.after(() => self.page.evaluate((more) => {
		const to = new URLSearchParams(location.hash.slice(1));
		for (const [name, value] of Object.entries(more))
			to.set(name, value);
		location.hash = to.toString();
	}, changes));
}

/* [[function, value]...]; null for "nothing" and "itself". */
function edges(page, title) {
	return page.$$eval(`.edges table[aria-label="${title}"] tr`, (rows) => rows.map((row) =>
	    [row.querySelector("button")?.textContent ?? null,
		Number(row.querySelector("[data-value]").dataset.value)]));
}

async function functionOf(self, name) {
	await changed(self, { view: "callers", fn: name });
	const { page } = self;
	return { callers: await edges(page, "Called by"), callees: await edges(page, "Calls"),
		lines: await page.$$eval("#lines tbody tr", (rows) => rows.map((row) =>
		    [row.dataset.line, [...row.querySelectorAll("[data-value]")].map((cell) =>
			Number(cell.dataset.value))])) };
}

export default async function (browser, { file, names, search }) {
	const self = await Page.open(browser), { page } = self, found = { functions: {} };
	await self.go();
	await self.openFile(file);
	await self.after(() => page.fill("#q", search));
	found.matched = await page.$eval("#facts", ({ dataset }) =>
	    [Number(dataset.matched), Number(dataset.whole)]);
	await self.after(() => page.fill("#q", ""));
	for (const name of names)
		found.functions[name] = await functionOf(self, name);
	await self.tab("graph");
	await page.selectOption("#nodes", "80");
	await page.waitForFunction(() => document.querySelectorAll("#callgraph .box").length > 0);
	await page.waitForTimeout(500);
	found.edges = await page.$$eval("#callgraph .edge:not(.gap)", (all) => all.map(
	    ({ dataset }) => [dataset.from, dataset.to, Number(dataset.value)]));
	check(found.edges.length > 0, "arrows");
	await self.end();
	return found;
}
