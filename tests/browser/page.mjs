/*
 * What the browser tests share: a real Chromium, a page that is watched, and
 * words for what a person does with it.
 *
 * Rule: a page is judged at its end: any message in its console, any error and
 * anything that the policy forbade fails the test that opened it.
 */
import { createRequire } from "node:module";

const { chromium } = createRequire(process.env.BROWSER_DEPS + "/")("playwright-core");
export const SITE = process.env.SITE;
const WAIT = 30000;

export async function launch() {
	return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu"] });
}

export function check(condition, sentence) {
	if (!condition)
		throw new Error("not so: " + sentence);
}

export function equal(found, wanted, what) {
	check(JSON.stringify(found) === JSON.stringify(wanted),
	    `${what}: ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`);
}

/* How many CPU profiles run in the collector, by the page without scripts. */
export async function running() {
	const html = await (await fetch(SITE)).text();
	return Number(/data-name="profile"[^>]*><td class="number">(\d+)</.exec(html)[1]);
}

export async function until(what, condition) {
	const end = Date.now() + 20000;
	while (!await condition()) {
		check(Date.now() < end, what);
		await new Promise((resolve) => { setTimeout(resolve, 50); });
	}
}

export class Page {
	constructor(page) {
		this.page = page;
		this.complaints = [];
		page.setDefaultTimeout(WAIT);
		page.on("console", (message) => this.complaints.push(message.text()));
		page.on("pageerror", (error) => this.complaints.push(error.stack));
		page.on("dialog", (dialog) => {
			this.complaints.push("dialog: " + dialog.message());
			dialog.dismiss();
		});
	}

	static async open(browser, options = {}) {
		const context = await browser.newContext({ viewport: { width: 1280, height: 800 },
			...options });
		const self = new Page(await context.newPage());
		self.context = context;
		return self;
	}

	/* The page again, at an address behind '#'. */
	async go(hash = "") {
		await this.page.goto("about:blank");
		await this.page.goto(SITE + hash);
		await this.page.waitForSelector("html[data-ready]");
	}

	async ready() {
		await this.page.waitForSelector("#viewer[data-ready]");
		equal(await this.page.getAttribute("#viewer", "data-ready") === "failed", false,
		    await this.page.textContent("#facts"));
	}

	/* A change of the address, and the viewer's answer to it. */
	async after(action) {
		const before = await this.page.getAttribute("#viewer", "data-ready");
		await action();
		await this.page.waitForFunction((old) => {
			const now = document.getElementById("viewer").dataset.ready;
			return now !== undefined && now !== old;
		}, before);
		await this.ready();
	}

	async tab(id) {
		if (await this.page.getAttribute("#t-" + id, "aria-selected") !== "true")
			await this.after(() => this.page.click("#t-" + id));
	}

	async openFile(path) {
		await this.page.setInputFiles("#file", path);
		await this.ready();
	}

	async capture(what, seconds) {
		await this.page.selectOption("#what", what);
		if (seconds)
			await this.page.fill("[name=seconds]", String(seconds));
		await this.page.click("#run");
		await this.ready();
	}

	/* The bytes of what is shown, as the page saves them. */
	async save(path) {
		const [download] = await Promise.all([this.page.waitForEvent("download"),
			this.page.click("#viewer a[download]")]);
		await download.saveAs(path);
		return download.suggestedFilename();
	}

	/* Function -> its numbers, from the table Top, all rows of it. */
	async top() {
		await this.tab("top");
		const more = this.page.locator("#p-top > button");
		if (await more.isVisible())
			await more.click();
		return this.page.$$eval("#top tbody tr", (rows) => rows.map((row) =>
		    [row.querySelector("button").textContent,
			[...row.querySelectorAll("[data-value]")].map((cell) =>
			    Number(cell.dataset.value))]));
	}

	/* Nothing is wider than the window, a phone's or a desk's. */
	async fits(what) {
		for (const width of [400, 1280]) {
			await this.page.setViewportSize({ width, height: 800 });
			await this.page.waitForTimeout(100);
			const wide = await this.page.evaluate(() =>
			    document.documentElement.scrollWidth);
			check(wide <= width, `${what} in ${width} pixels: ${wide}`);
		}
	}

	text(selector) {
		return this.page.textContent(selector);
	}

	async end() {
		const { complaints } = this;
		await this.context.close();
		equal(complaints, [], "what the browser complained of");
	}
}
