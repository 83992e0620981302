/*
 * What the pages say of what is in progress, and of waits: the table of ages and
 * the groups, in numbers.
 */
import { Page } from "./page.mjs";

async function groups(self, by) {
	const { page } = self;
	await self.after(() => page.evaluate((key) => {
		const to = new URLSearchParams(location.hash.slice(1));
		to.set("view", "groups");
		to.set("by", key);
		location.hash = to.toString();
	}, by));
	return page.$$eval("#groups tbody tr", (rows) => rows.map((row) => [
		row.querySelector("td[title]").getAttribute("title"),
		Number(row.querySelector("[data-value]").dataset.value)]));
}

export default async function (browser, { source, dir, keys }) {
	const self = await Page.open(browser, { acceptDownloads: true }), { page } = self;
	const found = { groups: {} };
	await self.go("#src=" + source);
	await self.ready();
	found.first = await page.getAttribute("[role=tab][aria-selected=true]", "id");
	if (source === "goroutine") {
		found.before = Date.now() / 1000;
		await page.reload();
		await self.ready();
		await page.waitForSelector("#ages");
		found.after = Date.now() / 1000;
		found.ages = await page.$$eval("#ages tbody tr", (rows) => rows.map((row) =>
		    [Number(row.cells[0].dataset.value), parseFloat(row.cells[1].textContent),
			...[3, 4, 5].map((index) => row.cells[index].textContent)]));
	}
	await self.save(`${dir}/${source}.pb.gz`);
	for (const key of keys)
		found.groups[key] = await groups(self, key);
	await self.end();
	return found;
}
