/*
 * Every view of a profile, by mouse and by keyboard: tabs, zoom, search,
 * callers, graph; back, reload, dark.
 */
import { check, equal, Page } from "./page.mjs";

/* How much of a canvas is painted, and whether it is dark. */
function pixels(page) {
	return page.$eval("#flame", (canvas) => {
		const copy = new OffscreenCanvas(canvas.width, canvas.height)
		    .getContext("2d", { willReadFrequently: true });
		copy.drawImage(canvas, 0, 0);
		const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
		let painted = 0, light = 0;
		for (let i = 0; i < data.length; i += 4) {
			painted += data[i + 3] > 0 ? 1 : 0;
			light += data[i] + data[i + 1] + data[i + 2];
		}
		return { painted: painted / (data.length / 4), light: light / (data.length / 4 * 765) };
	});
}

async function byMouse(self) {
	const { page } = self;
	const whole = await pixels(page);
	check(whole.painted > 0.2, "the flame graph is drawn: " + JSON.stringify(whole));
	await self.after(() => page.click("#flame", { position: { x: 40, y: 70 } }));
	check(page.url().includes("zoom="), "a click zooms");
	const zoomed = await self.text("#detail");
	check(!zoomed.startsWith("all:"), "the detail is of what was clicked: " + zoomed);
	await self.after(() => page.goBack());
	check((await self.text("#detail")).startsWith("all:"), "back zooms out");
	await self.after(() => page.goForward());
	equal(await self.text("#detail"), zoomed, "forward zooms in");
	await page.reload();
	await self.ready();
	equal(await self.text("#detail"), zoomed, "a reload keeps the zoom");
	await page.hover("#flame", { position: { x: 40, y: 30 } });
	check((await self.text(".tip")).includes("%"), "a tip says how much");
	await self.after(() => page.check("#invert"));
	check((await pixels(page)).painted > 0.02, "the inverted graph is drawn");
	await self.after(() => page.uncheck("#invert"));
}

async function byKeyboard(self, part) {
	const { page } = self;
	const said = () => page.textContent("#say");
	await page.focus("#flame");
	for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowRight",
		"ArrowLeft"])
		await page.keyboard.press(key);
	const sentence = await said();
	check(/^.+: .+ \(.+ %\), itself /.test(sentence), "each step is said: " + sentence);
	await self.after(() => page.keyboard.press("Enter"));
	equal((await self.text("#detail")).split(":")[0], sentence.split(":")[0], "Enter zooms");
	await self.after(() => page.keyboard.press("Escape"));
	check((await self.text("#detail")).startsWith("all:"), "Escape zooms out");
	await page.keyboard.press("/");
	equal(await page.evaluate(() => document.activeElement.id), "q", "/ leads to the search");
	await self.after(() => page.keyboard.type(part));
	check(/search matches .+ \(.+ %\)/.test(await self.text("#facts")), "the matched share");
	await page.focus("#t-flame");
	await self.after(() => page.keyboard.press("ArrowRight"));
	equal(await page.evaluate(() => document.activeElement.id), "t-top", "arrows change tabs");
	equal((await self.top()).every(([fn]) => fn.includes(part)), true, "Top has what matches");
	await page.focus("#top tbody button");
	await self.after(() => page.keyboard.press("Enter"));
	check((await self.text("#callers h2")).includes(part), "Enter opens callers");
}

/* Keys that are the browser's: Alt and Left goes back, Ctrl and + enlarges. */
async function keysOfTheBrowser(page) {
	for (const [id, keys] of [["flame", ["Alt+ArrowLeft", "Control+ArrowDown", "Meta+Enter"]],
		["t-flame", ["Alt+ArrowLeft", "Alt+ArrowRight"]]]) {
		await page.focus("#" + id);
		const address = page.url();
		const taken = await page.evaluate(([name, list]) => list.filter((keys) => {
			const [held, key] = keys.split("+");
			return !document.getElementById(name).dispatchEvent(new KeyboardEvent(
			    "keydown", { key, altKey: held === "Alt", ctrlKey: held === "Control",
				metaKey: held === "Meta", bubbles: true, cancelable: true }));
		}), [id, keys]);
		equal(taken, [], "keys taken from the browser in " + id);
		equal(page.url(), address, "the address after them");
	}
}

/* Every file that has a box has its colour and its place in the legend: the
 * heaviest first, then those that only call. */
async function legend(self, file) {
	await self.openFile(file);
	const items = await self.page.$$eval("#p-flame .legend li", (all) => all.map((item) =>
	    [item.textContent, item.querySelector("i").style.background]));
	equal(items.map(([name]) => name), ["libc.so.6", "part.so", "app.so", "kore"], "the legend");
	equal(new Set(items.map(([, colour]) => colour)).size, 4, "its colours: " + items);
}

export default async function (browser, { file, callers, part }) {
	const self = await Page.open(browser), { page } = self;
	await self.go();
	await legend(self, callers);
	await self.openFile(file);
	await byMouse(self);
	await byKeyboard(self, part);
	await self.after(() => page.fill("#q", ""));
	await self.tab("flame");
	await keysOfTheBrowser(page);
	await self.tab("callers");
	check(await page.locator("#lines tbody tr").count() > 0, "lines of a function");
	await self.after(() => page.click("#callers .edges button >> nth=0"));
	await self.tab("graph");
	check(await page.locator("#callgraph .box").count() > 3, "boxes in the graph");
	check(await page.locator("#callgraph .edge").count() > 2, "arrows in the graph");
	await page.locator("#callgraph .box").first().focus();
	await self.after(() => page.keyboard.press("Enter"));
	equal(await page.getAttribute("#t-callers", "aria-selected"), "true", "a box opens callers");
	await self.tab("groups");
	await self.after(() => page.click("#groups tbody button >> nth=0"));
	check(page.url().includes("f."), "a group becomes a filter");
	const light = (await pixels(page)).light;
	await page.emulateMedia({ colorScheme: "dark" });
	await page.waitForTimeout(300);
	check((await pixels(page)).light < light / 1.5, "dark is dark");
	await self.end();
	return { pixels: light };
}
