/*
 * Texts that would be markup, in every place where a profile's text is shown;
 * and files that are no profiles.
 */
import { check, equal, Page } from "./page.mjs";

export default async function (browser, { file, broken }) {
	const self = await Page.open(browser), { page } = self;
	await self.go();
	await self.openFile(file);
	for (const tab of ["flame", "top", "graph", "groups"]) {
		await self.tab(tab);
		equal(await page.locator("#viewer img, #viewer script, #viewer b, #viewer u").count(),
		    0, "elements made of texts in " + tab);
	}
	const names = (await self.top()).map(([name]) => name);
	check(names.includes('<img src=x onerror="alert(1)">'), "a name with markup is text");
	check(names.includes("__proto__"), "a name that objects have");
	check(names.includes("n".repeat(10000)), "a name of 10,000 characters");
	const routes = await page.locator("[data-key='http.route'] option").allTextContents();
	check(routes.includes(`/"quoted'/<b>&amp;`), "a route with quotes: " + routes);
	await self.after(() => page.selectOption("[data-key='http.route']",
	    `=/"quoted'/<b>&amp;`));
	check((await self.top()).length < names.length, "it filters");
	await self.after(() => page.selectOption("[data-key=__proto__]", "=even"));
	check((await self.text("#facts")).includes("__proto__: even"), "a label called __proto__");
	await self.after(() => page.selectOption("[data-key=__proto__]", "=odd"));
	check((await self.text("#facts")).includes("nothing has these labels"), "which filters");
	await self.after(() => page.selectOption("[data-key=__proto__]", "*"));
	await page.reload();
	await self.ready();
	check((await self.text("#facts")).includes(`/"quoted'/<b>&amp;`), "after a reload, too");
	await self.after(() => page.click('text=<img src=x onerror="alert(1)">'));
	equal(await self.text("#callers h2"), '<img src=x onerror="alert(1)">', "its own page");
	const wide = await page.evaluate(() => document.documentElement.scrollWidth);
	check(wide <= 1280, `no text makes the page wider: ${wide}`);
	for (const path of broken) {
		await self.go();
		await page.setInputFiles("#file", path);
		await page.waitForSelector("#viewer[data-ready=failed]");
		check(/^[A-Z].*\.$/.test(await self.text("#facts")), "one sentence says why: " +
		    await self.text("#facts"));
	}
	await self.go("#src=https://example.com/x");
	await page.waitForFunction(() => document.getElementById("viewer").textContent
	    .includes("is not a profile of this service"));
	await self.end();
}
