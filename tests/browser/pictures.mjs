/*
 * Takes the pictures of the pages that the documents show, of a service that
 * is at work: SITE=... BROWSER_DEPS=... node run.mjs pictures '{"dir": "..."}'.
 *
 * Not a test: whether a picture is good, somebody has to look.
 */
import { Page, SITE } from "./page.mjs";

const ROUTE = "/fib/";

async function shot(self, dir, name, height, keep = false) {
	if (!keep)
		await self.page.mouse.move(0, 0);
	await self.page.waitForTimeout(400);
	const { width } = self.page.viewportSize();
	await self.page.screenshot({ path: `${dir}/${name}.png`, clip: { x: 0, y: 0, width, height } });
}

async function profiles(self, dir) {
	const { page } = self;
	await self.go();
	await shot(self, dir, "index", 720);
	await self.capture("profile", 5);
	await shot(self, dir, "flame", 720);
	await self.after(() => page.selectOption("[data-key='http.route']", "=" + ROUTE));
	await self.tab("graph");
	await page.selectOption("#nodes", "20");
	/* Where most of the time is, at the end of a long chain. */
	await page.$eval("#callgraph [data-name=fib_recursive]", (box) =>
	    box.scrollIntoView({ block: "end" }));
	await page.evaluate(() => scrollTo(0, 0));
	await shot(self, dir, "graph", 720);
	await self.after(() => page.click(".box[data-name=fib_recursive]"));
	await shot(self, dir, "callers", 620);
	await page.click("text=← Profiles");
	await self.capture("profile", 5);
	await page.click("text=← Profiles");
	for (const box of await page.locator("#list input").all())
		await box.check();
	await page.click("#compare");
	await self.ready();
	await shot(self, dir, "compare", 560);
}

async function timeLine(self, dir) {
	const { page } = self;
	await self.go("#src=trace%3Fseconds=1");
	await page.waitForSelector("#viewer[data-ready] #timeline");
	await shot(self, dir, "timeline", 640);
	await page.click(`#slowest tr[data-name="GET ${ROUTE}"] button`);
	for (let i = 0; i < 2; i++)
		await page.click("[aria-label='Zoom out']");
	await page.evaluate(() => scrollTo(0, 0));
	const box = await page.locator("#timeline").boundingBox();
	/* A tooltip that has a stack. */
	for (let y = 26; y < box.height; y += 5) {
		await page.mouse.move(box.x + 160 + (box.width - 160) / 2, box.y + y);
		await page.waitForTimeout(50);
		if (await page.locator(".tip:not([hidden]) div").count() > 2)
			break;
	}
	await shot(self, dir, "timeline_zoomed", 560, true);
}

export default async function (browser, { dir }) {
	const light = await Page.open(browser, { viewport: { width: 1100, height: 720 } });
	await profiles(light, dir);
	await light.go("#view=live");
	await light.page.waitForTimeout(12000);
	await shot(light, dir, "live", 260);
	await timeLine(light, dir);
	await light.page.goto(SITE + "profile?seconds=5&format=svg");
	await light.page.setViewportSize({ width: 1200, height: 480 });
	await shot(light, dir, "flamegraph", 480);
	await light.end();
	const dark = await Page.open(browser, { viewport: { width: 400, height: 720 },
		colorScheme: "dark" });
	await dark.go("#src=profile%3Fseconds=5");
	await dark.ready();
	await shot(dark, dir, "phone", 720);
	await dark.end();
}
