/*
 * A route of the service whose text would be markup: in the live view, in the
 * profile and heap of its row, in Groups and in the time line.
 */
import { check, equal, Page } from "./page.mjs";

/* Text and no markup, in either width. */
async function plain(self, what) {
	equal(await self.page.locator("#viewer img, #live img").count(), 0, "elements in " + what);
	await self.fits(what);
}

export default async function (browser, { route }) {
	const self = await Page.open(browser), { page } = self, name = "GET " + route;
	await self.go("#view=live");
	const row = page.locator("#routes tbody tr", { has: page.getByText(name, { exact: true }) });
	await row.waitFor();
	await plain(self, "the live view");
	await row.getByText("CPU", { exact: true }).click();
	await self.ready();
	check((await self.text("#facts")).includes("http.route: " + route), "the profile's facts");
	check(Number(await page.getAttribute("#facts", "data-whole")) > 0, "it has CPU time");
	await plain(self, "the flame graph");
	await self.tab("groups");
	equal(await page.textContent("#groups tbody td[title]"), route, "the group");
	await plain(self, "Groups");
	await page.reload();
	await self.ready();
	check((await self.text("#facts")).includes("http.route: " + route), "after a reload");
	await self.go("#src=trace%3Fseconds=1");
	await page.waitForSelector("#viewer[data-ready] #timeline");
	const names = await page.$$eval("#slowest tbody tr", (rows) => rows.map((one) =>
	    one.cells[0].textContent));
	check(names.includes(name), "in the time line: " + names);
	await page.selectOption("#route", name);
	await plain(self, "the time line");
	await self.end();
}
