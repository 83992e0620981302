/*
 * The index page with scripts: capture with a countdown, cancel, the list, the
 * command, the rates; and what a reload keeps.
 */
import { check, equal, Page, running, SITE, until } from "./page.mjs";

async function cancelled(page) {
	equal(await running(), 0, "profiles running before");
	await page.fill("[name=seconds]", "60");
	await page.click("#run");
	await page.waitForSelector("#taking:not([hidden])");
	await until("a profile runs", async () => await running() === 1);
	check(/^\d+ s left$/.test(await page.textContent("#left")), "it counts down");
	check(Number(await page.getAttribute("#bar", "value")) < 0.5, "a bar shows how far");
	await page.click("#cancel");
	await until("the collector has ended it", async () => await running() === 0);
	await page.waitForSelector("#run:not([hidden])");
	check((await page.textContent("#say")).includes("cancelled"), "it says so");
}

async function rates(self) {
	const { page } = self;
	await page.fill("#set-block_rate", "12345");
	await page.click("#set");
	await page.waitForFunction(() =>
	    document.getElementById("rate-block_rate").textContent === "12345");
	equal((await (await fetch(SITE + "settings")).json()).block_rate, 12345, "block_rate");
	await page.fill("#set-block_rate", "banana");
	await page.click("#set");
	await page.waitForFunction(() => document.getElementById("say").textContent
	    .includes("banana"));
	/* A refused request is a line in the console, and no fault. */
	self.complaints = self.complaints.filter((line) => !line.includes("400 (Bad Request)"));
	await page.fill("#set-block_rate", "1000");
	await page.click("#set");
	await page.waitForFunction(() =>
	    document.getElementById("rate-block_rate").textContent === "1000");
}

export default async function (browser) {
	const self = await Page.open(browser, { acceptDownloads: true,
		permissions: ["clipboard-read", "clipboard-write"] }), { page } = self;
	await self.go();
	await cancelled(page);
	await rates(self);
	await page.selectOption("#what", "heap+");
	await page.fill("[name=seconds]", "7");
	await page.click("#copy");
	equal(await page.evaluate(() => navigator.clipboard.readText()),
	    `go tool pprof -http=: '${SITE}heap?seconds=7'`, "the copied command");
	await self.capture("profile", 1);
	equal(await self.text("#title"), "CPU, 1 s", "title");
	const address = page.url();
	const facts = await self.text("#facts");
	await page.reload();
	await self.ready();
	equal(page.url(), address, "the address after a reload");
	equal(await self.text("#facts"), facts, "what is shown after a reload");
	await page.goBack();
	await page.waitForSelector("#index:not([hidden])");
	equal(await page.locator("#list .name").allTextContents(), ["CPU, 1 s"], "the list");
	for (const name of ["heap", "goroutine", "threadcreate", "allocs", "block", "mutex"]) {
		await page.click(`tr[data-name=${name}] .open`);
		await self.ready();
		await page.goBack();
		await page.waitForSelector("#index:not([hidden])");
	}
	equal(await page.locator("#list tr").count(), 7, "captures in the list");
	await page.click("#list tr:last-child [aria-label^=Forget]");
	equal(await page.locator("#list tr").count(), 6, "captures after one is forgotten");
	await page.evaluate(() => { location.hash = "#src=threadcreate"; });
	await page.waitForFunction(() => document.getElementById("title")?.textContent ===
	    "Threads");
	await self.ready();
	equal(await page.locator("#flame").isVisible(), true, "the viewer after a wait in its place");
	await self.go("#src=heap%3Fseconds=1&view=top");
	await self.ready();
	equal(await self.text("#title"), "Heap, change in 1 s", "a link that is passed on");
	await self.end();
}
