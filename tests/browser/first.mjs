/*
 * What a person does who has a browser and nothing else: opens the page, presses
 * Capture, and sees where the time goes, within ten seconds.
 */
import { check, Page } from "./page.mjs";

const LIMIT_MS = 10000;

export default async function (browser, { route, part }) {
	const self = await Page.open(browser), { page } = self;
	const begun = Date.now();
	await page.goto(process.env.SITE);
	await page.click("#run");
	await self.ready();
	const boxes = Number(await page.getAttribute("#flame", "data-boxes"));
	const took = Date.now() - begun;
	check(await page.locator("#flame").isVisible() && boxes > 20, "a flame graph: " + boxes);
	check(took < LIMIT_MS, `it is there after ${took} ms`);
	await self.after(() => page.selectOption("[data-key='http.route']", "=" + route));
	await self.after(() => page.fill("#q", part));
	check(await page.$eval("#facts", ({ dataset }) => Number(dataset.matched) > 0),
	    `${part} of ${route} is in it`);
	await self.end();
	return { took, boxes };
}
