/*
 * The pages by keys alone: Tab, Shift and Tab, Enter, Space, arrows and typing;
 * no mouse, and no focus that was not gone to.
 */
import { check, equal, Page, running, until } from "./page.mjs";

const TABS_MAX = 150;

/* Tab until what has the focus is the one that is meant. */
async function reach(page, selector, key = "Tab") {
	for (let i = 0; i < TABS_MAX; i++) {
		if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector))
			return;
		await page.keyboard.press(key);
	}
	check(false, `Tab leads to ${selector}`);
}

async function press(page, selector, key = "Enter") {
	await reach(page, selector);
	await page.keyboard.press(key);
}

const focused = (page) => page.evaluate(() => document.activeElement.id);

async function typed(page, selector, text) {
	await reach(page, selector);
	await page.keyboard.press("Control+a");
	await page.keyboard.type(text);
}

async function captured(self) {
	const { page } = self;
	await typed(page, "[name=seconds]", "1");
	await page.keyboard.press("Enter");
	await page.waitForSelector("#taking:not([hidden])");
	equal(await focused(page), "cancel", "the focus while one is taken");
	await self.ready();
}

async function cancelled(page) {
	await typed(page, "[name=seconds]", "60");
	await press(page, "#run");
	await until("a profile runs", async () => await running() === 1);
	await page.keyboard.press("Enter");
	await until("it is cancelled", async () => await running() === 0);
	await page.waitForSelector("#run:not([hidden])");
	equal(await focused(page), "run", "the focus after it");
	await reach(page, "[name=seconds]", "Shift+Tab");
}

async function home(page) {
	await reach(page, "[aria-label='All profiles']", "Shift+Tab");
	await page.keyboard.press("Enter");
	await page.waitForSelector("#index:not([hidden])");
}

async function everyTab(self) {
	const { page } = self, seen = [];
	await reach(page, "[role=tab][aria-selected=true]");
	for (const id of ["top", "callers", "graph", "groups", "flame"]) {
		await self.after(() => page.keyboard.press("ArrowRight"));
		equal(await focused(page), "t-" + id, "the tab");
		seen.push(await page.locator(`#p-${id}`).isVisible());
	}
	equal(seen, [true, true, true, true, true], "each view is shown");
}

async function filtered(self, route) {
	const { page } = self;
	await reach(page, "[data-key='http.route']", "Shift+Tab");
	/* Each letter may choose another one on the way to it. */
	await page.keyboard.type(route.slice(0, 4));
	await until("filtered by " + route, async () =>
		(await self.text("#facts")).includes("http.route: " + route));
	await self.ready();
	equal(await page.evaluate(() => document.activeElement.dataset.key), "http.route",
	    "the focus after it");
	await self.after(() => page.keyboard.press("Home"));
	check(!(await self.text("#facts")).includes("http.route"), "and all again");
}

async function compared(self) {
	const { page } = self;
	await home(page);
	await captured(self);
	await home(page);
	await reach(page, "#list input");
	await page.keyboard.press("Space");
	await page.keyboard.press("Tab");
	await reach(page, "#list input");
	await page.keyboard.press("Space");
	await press(page, "#compare");
	await self.ready();
	check(await page.locator("#norm").isVisible(), "two are compared");
	check((await self.text("#title")).includes("→"), "the title names both");
}

async function live(self, route) {
	const { page } = self;
	await home(page);
	await press(page, "#to-live a");
	await page.waitForSelector(`#routes [data-route="${route}"]`);
	await press(page, `#routes [data-route="${route}"] [aria-label^=Heap]`);
	await self.ready();
	equal(await self.text("#title"), "Heap", "the row's heap");
	check(decodeURIComponent(page.url()).includes("f.http.route=" + route), "of the route");
}

async function jumped(self) {
	const { page } = self;
	await home(page);
	await press(page, "tr[data-name=trace] .open");
	await page.waitForSelector("#viewer[data-ready] #timeline");
	const all = await page.getAttribute("#timeline", "data-to");
	await press(page, "#slowest button");
	check(await page.getAttribute("#timeline", "data-to") !== all, "it jumps");
	check((await self.text("#detail")).includes(", from "), "and says to what");
	await reach(page, "#timeline", "Shift+Tab");
	await page.keyboard.press("Escape");
	equal(await page.getAttribute("#timeline", "data-to"), all, "all of it");
}

export default async function (browser, { route }) {
	const self = await Page.open(browser), { page } = self;
	await self.go();
	await cancelled(page);
	await captured(self);
	await everyTab(self);
	await filtered(self, route);
	await compared(self);
	await live(self, route);
	await jumped(self);
	await self.end();
}
