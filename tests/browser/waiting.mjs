/*
 * The page that waits for a profile which its address asks for, in a tab that
 * has nothing to go back to: cancelled, and refused.
 */
import { check, equal, Page, running, until } from "./page.mjs";

export default async function (browser) {
	const self = await Page.open(browser), { page } = self;
	equal(await running(), 0, "profiles running before");
	await page.goto(process.env.SITE + "#src=profile?seconds=60");
	await page.waitForSelector("#viewer .waiting");
	await until("a profile runs", async () => await running() === 1);
	check(/^\d+ s left$/.test(await self.text("#viewer .waiting")), "it counts down");
	await page.click("#viewer >> text=Cancel");
	await page.waitForSelector("#index:not([hidden])");
	await until("the collector has ended it", async () => await running() === 0);
	equal(await page.evaluate(() => location.hash), "", "the address after it");
	await self.end();
}
