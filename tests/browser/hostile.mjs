/*
 * Texts that would be markup, in every place where a profile's text is shown;
 * and files that are no profiles.
 */
import { readFileSync } from "node:fs";
import { check, equal, Page } from "./page.mjs";

const LONG = "L".repeat(10000);

/* A value of 10,000 characters: in Groups, as a filter, after a reload. */
async function longLabel(self) {
	const { page } = self;
	await self.tab("groups");
	await self.after(() => page.selectOption("#by", "long"));
	const cell = page.locator("#groups tbody tr:first-child td[title]");
	equal(await cell.getAttribute("title"), LONG, "all of it is there");
	check((await cell.textContent()).length <= 200, "and a part is shown");
	await self.fits("Groups");
	await self.after(() => page.click("#groups tbody button >> nth=0"));
	equal(await page.$eval("[data-key=long]", (menu) => menu.value), "=" + LONG, "the filter");
	const facts = await self.text("#facts");
	check(facts.includes("long: LLLL") && facts.length < 600, "its beginning: " + facts.length);
	await page.reload();
	await self.ready();
	equal(await self.text("#facts"), facts, "after a reload");
	await self.fits("a filter");
	check(await page.$eval(".more", (more) => more.open), "open, since one is used");
	await self.fits("all filters");
	await self.after(() => page.selectOption("[data-key=long]", "*"));
	await self.tab("top");
	await self.fits("Top");
}

/* A file's name is text in the list and in the title of a comparison. */
async function compared(self, file) {
	const { page } = self, name = '<img src=x onerror="alert(4)">.pb.gz';
	for (let i = 0; i < 2; i++) {
		await self.go();
		await page.setInputFiles("#file", { name, mimeType: "application/gzip",
			buffer: readFileSync(file) });
		await self.ready();
		await page.click("text=← Profiles");
		equal(await page.textContent("#list .name >> nth=0"), name, "in the list");
	}
	for (const box of (await page.locator("#list input").all()).slice(0, 2))
		await box.check();
	await page.click("#compare");
	await self.ready();
	equal((await self.text("#title")).split(name).length, 3, "in the title, twice");
	for (const tab of ["flame", "top", "graph", "groups"]) {
		await self.tab(tab);
		equal(await page.locator("#viewer img").count(), 0, "elements in " + tab);
	}
	await self.fits("a comparison");
}

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
	await page.click(".more summary");
	await self.after(() => page.selectOption("[data-key=__proto__]", "=even"));
	check((await self.text("#facts")).includes("__proto__: even"), "a label called __proto__");
	await self.after(() => page.selectOption("[data-key=__proto__]", "=odd"));
	check((await self.text("#facts")).includes("nothing has these labels"), "which filters");
	await self.after(() => page.selectOption("[data-key=__proto__]", "*"));
	await longLabel(self);
	await page.reload();
	await self.ready();
	check((await self.text("#facts")).includes(`/"quoted'/<b>&amp;`), "after a reload, too");
	await self.after(() => page.click('text=<img src=x onerror="alert(1)">'));
	equal(await self.text("#callers h2"), '<img src=x onerror="alert(1)">', "its own page");
	await self.fits("Callers");
	equal(await page.locator("#viewer img").count(), 0, "elements in Callers");
	await compared(self, file);
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
