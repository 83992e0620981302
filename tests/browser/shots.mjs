/*
 * Every view, 1280 and 400 pixels wide: none is wider than the window. With a
 * folder, a picture of each in both themes, for somebody to look at.
 */
import { equal, Page } from "./page.mjs";

const VIEWS = ["flame", "top", "callers", "graph", "groups"];

/* [name, address or what to do] of each page after the first capture. */
async function each(self, shot, { file, before, trace, progress, fn }) {
	const { page } = self;
	await self.go();
	await shot("index");
	await self.openFile(file);
	for (const view of VIEWS) {
		await self.tab(view);
		await shot(view);
		if (view === "top")
			await self.after(() => page.click(`#top tbody >> text="${fn}"`));
	}
	await self.tab("flame");
	await self.after(() => page.fill("#q", fn));
	await shot("search");
	await self.go();
	await self.openFile(before);
	await page.click("text=← Profiles");
	await self.openFile(file);
	await page.click("text=← Profiles");
	for (const [index, box] of (await page.locator("#list input").all()).entries()) {
		if (index < 2)
			await box.check();
	}
	await shot("list");
	await page.click("#compare");
	await self.ready();
	await shot("compare");
	await self.tab("top");
	await shot("compare-top");
	if (progress) {
		await self.go("#src=goroutine");
		await self.ready();
		await shot("progress");
		await self.go("#src=block");
		await self.ready();
		await shot("block");
	}
	await self.go("#view=live");
	await page.waitForSelector("#routes tbody tr");
	await page.waitForTimeout(1500);
	await shot("live");
	await self.go();
	await page.setInputFiles("#file", trace);
	await page.waitForSelector("#viewer[data-ready] #timeline");
	await shot("timeline");
	await page.click("#slowest button");
	await shot("timeline-zoomed");
}

export default async function (browser, given) {
	const found = { pages: 0, wide: [] };
	for (const colorScheme of given.dir ? ["light", "dark"] : ["light"]) {
		for (const width of [1280, 400]) {
			const self = await Page.open(browser, { colorScheme,
				viewport: { width, height: 800 } });
			await each(self, async (name) => {
				await self.page.waitForTimeout(200);
				const have = await self.page.evaluate(() =>
				    document.documentElement.scrollWidth);
				found.pages++;
				if (have > width)
					found.wide.push([name, colorScheme, width, have]);
				if (given.dir)
					await self.page.screenshot({
						path: `${given.dir}/${name}-${colorScheme}-${width}.png` });
			}, given);
			await self.end();
		}
	}
	equal(found.wide, [], "pages that are wider than the window");
	return found;
}
