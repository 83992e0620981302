/*
 * The index page without scripts: all that it says, its links, and a profile
 * by its form.
 */
import { check, equal, Page, SITE } from "./page.mjs";

export default async function (browser, { server }) {
	const self = await Page.open(browser, { javaScriptEnabled: false, acceptDownloads: true });
	const { page } = self;
	await page.goto(SITE);
	const text = await page.textContent("body");
	for (const word of [server, "workers running", "in flight", "CPU seconds", "MiB",
		"heap_rate", "Losses"])
		check(text.includes(word), "it says " + word);
	equal(await page.locator("#captures").isVisible(), false, "what needs scripts is hidden");
	for (const link of await page.locator("td a").all()) {
		const url = new URL(await link.getAttribute("href"), SITE);
		if (!url.pathname.endsWith("profile") && !url.pathname.endsWith("trace"))
			equal((await fetch(url)).status, 200, url.href);
	}
	await page.fill("[name=seconds]", "1");
	const [download] = await Promise.all([page.waitForEvent("download"),
		page.click("#run")]);
	equal(download.suggestedFilename(), "profile", "the form downloads a profile");
	await download.delete();
	await self.end();
}
