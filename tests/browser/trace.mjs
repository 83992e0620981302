/*
 * The time line: what is in a trace whose truth is known, zoomed, filtered,
 * jumped to, kept in the address; and one taken from the service.
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { check, equal, Page, until } from "./page.mjs";

const shown = (page) => page.$eval("#timeline", (canvas) =>
    [Number(canvas.dataset.from), Number(canvas.dataset.to)]);

/* How many pixels of the canvas have each of the colours. */
function painted(page, colours) {
	return page.$eval("#timeline", (canvas, wanted) => {
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width,
		    canvas.height);
		const seen = wanted.map(() => 0);
		for (let i = 0; i < data.length; i += 4) {
			wanted.forEach((colour, index) => {
				seen[index] += colour.every((part, at) => data[i + at] === part);
			});
		}
		return seen;
	}, colours);
}

const RUNS = [0x2f, 0x8f, 0x57], CALLS = [0xc2, 0x3b, 0x22];
const WAITS = [0x7d, 0x8f, 0xa9], READY = [0xd9, 0xa4, 0x41];

async function table(page) {
	return page.$$eval("#slowest tbody tr", (rows) => rows.map((row) =>
	    [row.dataset.name, Number(row.querySelector("[data-value]").dataset.value),
		Number(row.querySelector("button")?.dataset.value ?? 0)]));
}

async function zoomed(page) {
	const [from, to] = await shown(page);
	await page.focus("#timeline");
	equal(await page.$eval("#timeline", (canvas) => ["+", "-", "ArrowLeft"].filter((key) =>
	    !canvas.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey: key !== "ArrowLeft",
		altKey: key === "ArrowLeft", cancelable: true })))), [], "the browser's keys");
	await page.keyboard.press("+");
	const [a, b] = await shown(page);
	/* The address keeps nanoseconds. */
	check(Math.abs((b - a) * 2 - (to - from)) < 1e-8, "plus shows half of it");
	await page.keyboard.press("ArrowRight");
	check((await shown(page))[0] > a, "an arrow moves");
	await page.waitForFunction(() => location.hash.includes("zoom="));
	const at = await shown(page);
	await page.reload();
	await page.waitForSelector("#viewer[data-ready] #timeline");
	const again = await shown(page);
	check(Math.abs(at[0] - again[0]) < 1e-6 && Math.abs(at[1] - again[1]) < 1e-6,
	    "a reload shows the same part");
	await page.focus("#timeline");
	await page.keyboard.press("Escape");
	equal(await shown(page), [from, to], "all of it again");
}

/* Drag, wheel and a finger's swipe that the browser makes a scroll of. */
async function dragged(page) {
	await page.focus("#timeline");
	await page.keyboard.press("Escape");
	await page.keyboard.press("+");
	const box = await page.locator("#timeline").boundingBox();
	const [x, y] = [box.x + box.width / 2, box.y + 40], before = await shown(page);
	const near = (a, b) => Math.abs(a - b) < (before[1] - before[0]) / 100;
	await page.mouse.move(x, y);
	await page.mouse.down();
	await page.mouse.move(x - 100, y, { steps: 4 });
	await page.mouse.up();
	const after = await shown(page);
	check(after[0] > before[0] && near(after[1] - after[0], before[1] - before[0]),
	    `a drag moves: ${before} to ${after}`);
	const send = (type, clientX) => page.$eval("#timeline", (canvas, [name, at, top]) =>
	    canvas.dispatchEvent(new PointerEvent(name, { pointerId: 1, clientX: at,
		clientY: top, bubbles: true })), [type, clientX, y]);
	await page.evaluate(() => { HTMLCanvasElement.prototype.setPointerCapture = () => {}; });
	await send("pointerdown", x);
	await send("pointercancel", x);
	await send("pointermove", x + 200);
	/* The view may be back from the address meanwhile, which has nanoseconds. */
	const still = await shown(page);
	check(still.every((value, i) => Math.abs(value - after[i]) < 1e-6),
	    `after a drag that the browser took: ${still}, expected ${after}`);
}

async function wheeled(page) {
	const box = await page.locator("#timeline").boundingBox();
	const spin = async (deltaY) => {
		await page.mouse.wheel(0, deltaY);
		await page.waitForTimeout(150);
	};
	const scrolled = () => page.evaluate(() => scrollY);
	await page.setViewportSize({ width: 1280, height: 300 });
	await page.keyboard.press("Escape");
	await page.evaluate(() => document.activeElement.blur());
	await page.mouse.move(box.x + box.width / 2, box.y + 40);
	const whole = await shown(page);
	await spin(60);
	check(await scrolled() > 0, "a wheel scrolls the page");
	equal(await shown(page), whole, "and does not zoom");
	await page.evaluate(() => scrollTo(0, 0));
	await page.keyboard.down("Control");
	await spin(-60);
	await page.keyboard.up("Control");
	const width = async () => {
		const [begin, end] = await shown(page);
		return end - begin;
	};
	await until("with Ctrl it zooms", async () => await width() < whole[1] - whole[0]);
	const half = await width();
	await page.focus("#timeline");
	await spin(-60);
	await until("and where the focus is", async () => await width() < half);
	await page.keyboard.press("Escape");
	await spin(60);
	check(await scrolled() > 0, "but not out of all: then it scrolls");
	await page.setViewportSize({ width: 1280, height: 800 });
}

/* The tooltip of a bar of that name: found beside the middle, where a jump has
 * put it. */
async function told(page, slow, wanted, frame) {
	await page.click(`#slowest tr[data-name="${slow}"] button`);
	const box = await page.locator("#timeline").boundingBox();
	const tip = page.locator(".tip"), seen = [];
	for (let y = 26; y < box.height; y += 5) {
		for (const part of [0.5, 0.45, 0.55, 0.6, 0.4]) {
			await page.mouse.move(box.x + 90 + (box.width - 90) * part, box.y + y);
			const said = await tip.isVisible() ? await tip.textContent() : "";
			seen.push(said.slice(0, 60));
			if (!said.startsWith(slow + ": ") || !wanted.test(said))
				continue;
			if (frame !== null)
				await page.waitForFunction((name) => [...document.querySelectorAll(
				    ".tip div")].some((line) => line.textContent.includes(name)),
				frame);
			return;
		}
	}
	check(false, `a tooltip of ${slow}, ${wanted}: ${seen.join("; ")}`);
}

/* Buttons for those without keys. */
async function pressed(page) {
	const all = await shown(page);
	await page.click("[aria-label='Zoom in']");
	const half = await shown(page);
	check(half[1] - half[0] < all[1] - all[0], "zooms in");
	await page.click("[aria-label='Later']");
	check((await shown(page))[0] > half[0], "goes on");
	await page.click("[aria-label='Show all of it']");
	equal(await shown(page), all, "shows all");
}

/* What it says of the tools that show more, and that it is so. */
async function more(page) {
	check(/go tool trace trace-\d+\.trace|go tool trace \S+/.test(await page.textContent(
	    "#viewer code")), "the command");
	const href = await page.getAttribute("#viewer .note a", "href");
	equal(href, "trace?format=perfetto&seconds=5", "the other form");
	const answer = await fetch(new URL(href.replace("=5", "=1"), process.env.SITE));
	equal([answer.status, (await answer.arrayBuffer()).byteLength > 100], [200, true],
	    "Perfetto's form");
}

/* Unpacked or not, a trace is one, and is compared with nothing. */
async function packed(page, file) {
	await page.click("text=← Profiles");
	await page.setInputFiles("#file", { name: "t.trace.gz", mimeType: "application/gzip",
		buffer: gzipSync(readFileSync(file)) });
	await page.waitForSelector("#viewer[data-ready] #timeline");
	check((await page.textContent("#viewer")).includes("gunzip -k t.trace.gz && go tool trace " +
	    "t.trace"), "what to type");
	await page.reload();
	await page.waitForSelector("#viewer[data-ready] #timeline");
	await page.click("text=← Profiles");
	equal(await page.locator("#list tr").count(), 2, "both are in the list");
	equal(await page.locator("#list input").count(), 0, "none can be compared");
}

export default async function (browser, { file, slow }) {
	const self = await Page.open(browser), { page } = self;
	await self.go();
	await page.setInputFiles("#file", file);
	await page.waitForSelector("#viewer[data-ready] #timeline");
	const rows = await table(page);
	const [runs, calls, waits, ready] = await painted(page, [RUNS, CALLS, WAITS, READY]);
	check(runs > 100 && calls > 20 && waits > 100 && ready > 5,
	    `bars: ${runs}, ${calls}, ${waits} and ${ready} pixels`);
	await zoomed(page);
	await page.click(`#slowest tr[data-name="${slow}"] button`);
	const [from, to] = await shown(page);
	const longest = rows.find(([name]) => name === slow)[2];
	check(to - from > longest && to - from < 3 * longest + 1e-3, "it goes to the slowest");
	check((await page.textContent("#detail")).startsWith(slow), "and says which it is");
	/* All lanes and the table at once. */
	await page.setViewportSize({ width: 1280, height: 1600 });
	await told(page, slow, /in a system call for .* on worker \d/, "app_sleeps");
	await told(page, "GET /light", /(running|in a system call) for .* on worker \d/, null);
	await page.focus("#timeline");
	await page.keyboard.press("Escape");
	await pressed(page);
	await more(page);
	await dragged(page);
	await wheeled(page);
	await page.selectOption("#route", slow);
	await page.waitForFunction(() => location.hash.includes("fn="));
	await packed(page, file);
	await self.go("#src=trace%3Fseconds=1");
	await page.waitForSelector("#viewer[data-ready] #timeline");
	check((await page.textContent("#facts")).includes("s, "), "one taken now");
	await self.end();
	return rows;
}
