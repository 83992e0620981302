/*
 * What the page shows of a CPU profile, for comparison with what go tool pprof
 * says of the same bytes: all, of one route, compared with another.
 */
import { equal, Page } from "./page.mjs";

export default async function (browser, { dir, route }) {
	const self = await Page.open(browser, { acceptDownloads: true }), { page } = self;
	const found = {};
	await self.go();
	await self.capture("profile", 2);
	await self.save(dir + "/first.pb.gz");
	found.all = await self.top();
	await self.after(() => page.selectOption("[data-key='http.route']", "=" + route));
	found.route = await self.top();
	await self.after(() => page.selectOption("#type", "samples"));
	found.routeSamples = await self.top();
	await self.tab("groups");
	found.groups = await page.$$eval("#groups tbody tr", (rows) => rows.map((row) =>
	    [row.cells[3].textContent, Number(row.querySelector("[data-value]").dataset.value)]));
	await page.click("text=← Profiles");
	await self.capture("profile", 1);
	await self.save(dir + "/second.pb.gz");
	await page.click("text=← Profiles");
	for (const box of await page.locator("#list input").all())
		await box.check();
	await page.click("#compare");
	await self.ready();
	const facts = await self.text("#facts"), address = page.url();
	await page.reload();
	await self.ready();
	equal(await self.text("#facts"), facts, "a comparison after a reload");
	await page.goBack();
	await page.waitForSelector("#index:not([hidden])");
	await page.goForward();
	await self.ready();
	equal([page.url(), await self.text("#facts")], [address, facts], "and after back");
	found.compared = await self.top();
	await self.after(() => page.check("#norm"));
	found.normalised = await self.top();
	await self.after(() => page.click("#swap"));
	equal(await page.isChecked("#norm"), true, "the scale after a swap");
	await self.tab("flame");
	await self.end();
	return found;
}
