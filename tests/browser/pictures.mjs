/*
 * Takes the pictures of the pages that the documents show, of a service that
 * is at work: SITE=... BROWSER_DEPS=... node run.mjs pictures '{"dir": "..."}'.
 *
 * Not a test: whether a picture is good, somebody has to look.
 */
import { Page } from "./page.mjs";

export default async function (browser, { dir }) {
	const shot = async (self, name, height) => {
		await self.page.waitForTimeout(400);
		await self.page.mouse.move(0, 0);
		const { width } = self.page.viewportSize();
		await self.page.screenshot({ path: `${dir}/${name}.png`,
			clip: { x: 0, y: 0, width, height } });
	};
	const light = await Page.open(browser, { viewport: { width: 1100, height: 720 } });
	await light.go();
	await shot(light, "index", 720);
	await light.capture("profile", 5);
	await shot(light, "flame", 720);
	await light.tab("graph");
	await shot(light, "graph", 640);
	await light.page.click("text=← Profiles");
	await light.capture("profile", 5);
	await light.page.click("text=← Profiles");
	for (const box of await light.page.locator("#list input").all())
		await box.check();
	await light.page.click("#compare");
	await light.ready();
	await light.tab("top");
	await shot(light, "compare", 480);
	await light.go("#view=live");
	await light.page.waitForTimeout(3000);
	await shot(light, "live", 260);
	await light.go("#src=trace%3Fseconds=1");
	await light.page.waitForTimeout(5000);
	await shot(light, "timeline", 600);
	await light.end();
	const dark = await Page.open(browser, { viewport: { width: 400, height: 720 },
		colorScheme: "dark" });
	await dark.go("#src=profile%3Fseconds=5");
	await dark.ready();
	await shot(dark, "phone", 720);
	await dark.end();
}
