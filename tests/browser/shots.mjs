/*
 * Every view, 400 and 1280 pixels wide, in both themes: none is wider than the
 * window. With a folder, a picture of each, for somebody to look at.
 *
 * Pages are opened in the narrow window, which is then made wide.
 */
import { equal, Page } from "./page.mjs";

const WIDTHS = [400, 1280], THEMES = ["light", "dark"], HEIGHT = 800;
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
	await page.waitForFunction(() =>
	    Number(document.getElementById("live-box").dataset.turn) >= 2);
	await shot("live");
	await self.go();
	await page.setInputFiles("#file", trace);
	await page.waitForSelector("#viewer[data-ready] #timeline");
	await shot("timeline");
	await page.click("#slowest button");
	await shot("timeline-zoomed");
}

/* What watches the size has been told, and what it drew is there. */
const settled = (page) => page.evaluate(() => new Promise((resolve) => {
	requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
}));

/* One page, in both widths and themes. */
async function look({ page }, name, dir, found) {
	for (const width of WIDTHS) {
		await page.setViewportSize({ width, height: HEIGHT });
		for (const colorScheme of THEMES) {
			await page.emulateMedia({ colorScheme });
			await settled(page);
			const have = await page.evaluate(() => document.documentElement.scrollWidth);
			found.pages++;
			if (have > width)
				found.wide.push([name, colorScheme, width, have]);
			if (dir)
				await page.screenshot({
					path: `${dir}/${name}-${colorScheme}-${width}.png` });
		}
	}
	await page.setViewportSize({ width: WIDTHS[0], height: HEIGHT });
}

export default async function (browser, given) {
	const found = { pages: 0, wide: [] };
	const self = await Page.open(browser, { viewport: { width: WIDTHS[0], height: HEIGHT } });
	await each(self, (name) => look(self, name, given.dir, found), given);
	await self.end();
	equal(found.wide, [], "pages that are wider than the window");
	return found;
}
