/*
 * How long things take, for the benchmark: not a test, nothing here fails by
 * being slow. By the page's own clock, in milliseconds.
 */
import { Page } from "./page.mjs";

const TURNS = 5;

/* From the request for the page until its scripts have made it whole. */
async function index(self) {
	await self.page.goto("about:blank");
	await self.go();
	return self.page.evaluate(() => performance.getEntriesByName("whole")[0].startTime);
}

/* From the choice of a file until its flame graph has been drawn. */
async function open(self, path) {
	await self.go();
	const { page } = self;
	await page.evaluate(() => {
		document.getElementById("file").addEventListener("change", () => {
			const begin = performance.now();
			const seen = new MutationObserver(() => {
				if (document.getElementById("viewer").dataset.ready === undefined)
					return;
				seen.disconnect();
				requestAnimationFrame(() => setTimeout(() => {
					globalThis.took = performance.now() - begin;
				}));
			});
			seen.observe(document.getElementById("viewer"),
			    { attributes: true, childList: true, subtree: true });
		}, { capture: true, once: true });
	});
	await page.setInputFiles("#file", path);
	await page.waitForFunction(() => globalThis.took !== undefined);
	return page.evaluate(() => globalThis.took);
}

/* The script's part of a frame: moving, zooming and searching. */
async function frames(self) {
	const { page } = self;
	await page.evaluate(() => {
		globalThis.long = [];
		let before = performance.now(), on = true;
		const tick = (now) => {
			globalThis.long.push(now - before);
			before = now;
			if (on)
				requestAnimationFrame(tick);
		};
		requestAnimationFrame(tick);
		globalThis.stop = () => { on = false; };
	});
	for (let x = 20; x < 1200; x += 60)
		await page.mouse.move(x, 320);
	await page.focus("#flame");
	for (let i = 0; i < 12; i++)
		await page.keyboard.press(i % 3 === 2 ? "ArrowRight" : "ArrowDown");
	await self.after(() => page.keyboard.press("Enter"));
	await self.after(() => page.keyboard.press("Escape"));
	await self.after(() => page.fill("#q", "function_1.*[05]$"));
	await self.after(() => page.fill("#q", ""));
	return page.evaluate(() => {
		globalThis.stop();
		return globalThis.long.slice(2);
	});
}

export default async function (browser, { many, broad }) {
	const self = await Page.open(browser), found = { index: [], many: [], broad: [] };
	for (let turn = 0; turn < TURNS; turn++)
		found.index.push(await index(self));
	for (let turn = 0; turn < TURNS; turn++)
		found.many.push(await open(self, many));
	found.frames = await frames(self);
	for (let turn = 0; turn < 3; turn++)
		found.broad.push(await open(self, broad));
	found.boxes = Number(await self.page.getAttribute("#flame", "data-boxes"));
	await self.end();
	return found;
}
