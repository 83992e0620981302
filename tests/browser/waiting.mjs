/*
 * The page that waits for a profile which its address asks for, in a tab that
 * has nothing to go back to: cancelled, and refused.
 */
import { check, equal, Page, running, until } from "./page.mjs";

/* Addresses that ask for what is none: one sentence, and a way out. */
async function refused(browser) {
	const self = await Page.open(browser), { page } = self;
	for (const [source, wanted] of [["%25", /^404: /], ["constructor", /^404: /],
		["http%3A%2F%2F", /^"http:\/\/" is not a profile of this service\.$/],
		["https%3A%2F%2Fexample.com%2Fx", /is not a profile of this service\.$/],
		["..%2Fx", /is not a profile of this service\.$/],
		["file%3Ax%25", /^"x%" is no longer in this tab: open the file again\.$/],
		["profile%3Fhz=0", /^400: .*hz.*$/]]) {
		await self.go("#src=" + source);
		await page.waitForSelector("#viewer a");
		const said = await self.text("#viewer .waiting");
		check(wanted.test(said), `${source}: ${said}`);
		await page.click("#viewer a");
		await page.waitForSelector("#index:not([hidden])");
	}
	/* An answer that is a refusal is a line in the console, and no fault. */
	self.complaints = self.complaints.filter((line) => !/status of 40[04]/.test(line));
	await self.end();
}

export default async function (browser) {
	await refused(browser);
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
