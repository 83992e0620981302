/*
 * "Growth since": a heap of what changed while it was taken, in which some was
 * freed and some was taken, as the page shows it, for comparison with pprof.
 */
import { check, equal, Page, SITE } from "./page.mjs";

export default async function (browser, { file, during }) {
	const self = await Page.open(browser, { acceptDownloads: true }), { page } = self;
	await self.go("#src=heap%3Fseconds=4");
	await page.waitForSelector("#viewer .waiting");
	await page.waitForTimeout(1000);
	for (const path of during)
		equal((await fetch(new URL(path, SITE))).status, 200, path);
	await self.ready();
	equal(await self.text("#title"), "Heap, change in 4 s", "title");
	await self.after(() => page.selectOption("#type", "inuse_objects"));
	const facts = await self.text("#facts");
	check(/objects in use: net [+-]/.test(facts), "net: " + facts);
	const legend = await page.locator("#p-flame .legend li").allTextContents();
	equal(legend, ["freed", "grown"], "the legend");
	await page.reload();
	await self.ready();
	equal(await self.text("#facts"), facts, "after a reload");
	const found = { top: await self.top() };
	await self.save(file);
	await self.end();
	return found;
}
