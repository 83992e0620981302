/*
 * The live view: numbers of two answers that are known, then of a service that
 * works; sorted, left for a profile of a route, come back to, hidden.
 */
import { check, equal, Page, SITE, until } from "./page.mjs";

/* Two answers, 2 s apart: 100 requests more, 10 of them slow. */
function answers() {
	const head = { bounds_ns: [1000, 2000, 4000, 8000], workers: [], cpu_sampled: true };
	const route = { route: "/a/", method: "GET", in_flight: 3 };
	const other = { route: null, method: null, requests: 0, in_flight: 0,
		times: [], cpu_ns: 10, alloc_bytes: 0 };
	return [{ ...head, now_ns: 1e9, routes: [{ ...route, requests: 50, times: [[1, 50]],
		cpu_ns: 100, alloc_bytes: 1000 }, other] },
	{ ...head, now_ns: 3e9, routes: [{ ...route, requests: 150,
		times: [[1, 140], [3, 8], [4, 2]], cpu_ns: 400, alloc_bytes: 3000 },
	{ ...other, cpu_ns: 110 }] }];
}

async function known(page) {
	const rows = await page.evaluate(async ([then, now]) => {
		const { between } = await import(new URL("assets/live.js", document.baseURI).href);
		return [...between(then, now), ...between(then, now, { ...then, routes: [] })];
	}, answers());
	equal(rows[0], { route: "/a/", method: "GET", rate: 50, p50: 2000, p99: 8000, cpu: 0.75,
		bytes: 1000, now: 3 }, "what two answers differ by");
	equal([rows[1].p50, rows[1].rate, rows[1].cpu], [null, 0, 0.25], "what is of no route");
	equal([rows[2].rate, rows[2].cpu], [50, 400 / 510], "CPU time since an older answer");
}

async function turn(page, more) {
	const now = Number(await page.getAttribute("#live-box", "data-turn"));
	await page.waitForFunction((until) =>
	    Number(document.getElementById("live-box").dataset.turn) >= until, now + more);
}

function cell(page, route, key) {
	return page.$eval(`#routes [data-route="${route}"] [data-key=${key}]`, (td) =>
	    td.dataset.value === "" ? null : Number(td.dataset.value));
}

async function busy(page, route) {
	let row;
	/* All of one turn; the load rests now and then. */
	await until("requests a second", async () => {
		row = await page.$eval(`#routes tr[data-route="${route}"]`,
		    (tr) => Object.fromEntries([...tr.querySelectorAll("[data-key]")].map((td) =>
			[td.dataset.key, td.dataset.value === "" ? null : Number(td.dataset.value)])));
		return row.rate > 0;
	});
	check(row.p50 > 0 && row.p50 <= row.p99, "p50 is not over p99");
	check(row.now >= 0, "in flight");
}

/* Answers to /routes that say what the test wants: one more each time. */
async function pretended(page, next) {
	const given = { routes: [] };
	await page.route("**/debug/pprof/routes", async (route) => {
		given.answer = next(given.answer);
		await route.fulfill({ json: given.answer });
	});
	return given;
}

const HEAD = { bounds_ns: [1000, 2000, 4000], workers: [{ pid: 1 }], cpu_sampled: true,
	heap_rate: 1 };

function next(before) {
	const one = (route, requests, cpu, bytes) => {
		const old = before?.routes.find((found) => found.route === route);
		return { route, method: route && "GET", in_flight: 1, times: [],
			requests: (old?.requests ?? 0) + requests, cpu_ns: (old?.cpu_ns ?? 0) + cpu,
			alloc_bytes: (old?.alloc_bytes ?? 0) + bytes };
	};
	const turn = (before?.turn ?? 0) + 1, routes = [one("/a", 100 * turn, 600, 1000),
		one("/b", 10, 300, 5000), one(null, 0, 100, 0)];
	if (turn > 4)
		routes.push(one("/late", 7, 0, 0));
	return { ...HEAD, turn, now_ns: turn * 2e9, routes };
}

/* Cells under a focus change, too, and what is new comes; the split is that of
 * the answers. */
async function cells(browser) {
	const self = await Page.open(browser), { page } = self;
	await pretended(page, next);
	await self.go("#view=live");
	await turn(page, 1);
	await page.focus('#routes [data-route="/b"] >> text=Heap');
	const rate = await cell(page, "/a", "rate");
	await page.waitForSelector('#routes [data-route="/late"]', { state: "attached" });
	equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")),
	    "Heap of GET /b", "the focus stays");
	check(await cell(page, "/a", "rate") > rate, "rates go on under a focus");
	for (const [route, cpu, bytes] of [["/a", 0.6, 500], ["/b", 0.3, 2500], ["", 0.1, 0]]) {
		equal([await cell(page, route, "cpu"), await cell(page, route, "bytes")],
		    [cpu, bytes], "share of CPU and bytes a second of " + route);
	}
	equal(await page.textContent('#routes [data-route="/b"] [data-key=cpu]'), "30.0 %", "text");
	await self.end();
}

/* Seen or not; and however often that changes, one question at a time. */
async function hidden(browser) {
	const self = await Page.open(browser), { page } = self;
	let open = 0, most = 0, asked = 0;
	await page.route("**/debug/pprof/routes", async (route) => {
		asked++;
		most = Math.max(most, ++open);
		await new Promise((resolve) => { setTimeout(resolve, 400); });
		await route.fulfill({ json: next() }).catch(() => {});
		open--;
	});
	await self.go("#view=live");
	const see = (off) => page.evaluate((value) => {
		Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
		document.dispatchEvent(new Event("visibilitychange"));
	}, off);
	await see(true);
	await page.waitForTimeout(600);
	asked = 0;
	await page.waitForTimeout(2500);
	equal(asked, 0, "questions of a page that is not seen");
	await see(false);
	await page.waitForTimeout(600);
	equal(asked, 1, "questions as soon as it is seen again");
	await page.waitForTimeout(3000);
	check(asked >= 2 && asked <= 4, "one each second: " + asked);
	/* Two events at once would have begun two lines of questions. */
	asked = 0;
	await page.evaluate(() => {
		document.dispatchEvent(new Event("visibilitychange"));
		document.dispatchEvent(new Event("visibilitychange"));
	});
	await page.waitForTimeout(4200);
	check(asked <= 6, "one line of questions: " + asked);
	await self.end();
}

/* The row's button opens a profile of what the row was, and of nothing else;
 * over the same load, it has about the row's share of the CPU time. */
async function opened(self, route) {
	const { page } = self;
	await turn(page, 8);
	const share = await cell(page, route, "cpu");
	await page.click(`#routes [data-route="${route}"] >> text=CPU`);
	await self.ready();
	const part = Number(await page.getAttribute("#facts", "data-whole"));
	for (const key of ["http.route", "http.method"])
		await self.after(() => page.selectOption(`[data-key='${key}']`, "*"));
	const whole = Number(await page.getAttribute("#facts", "data-whole"));
	check(Math.abs(part / whole - share) < 0.25,
	    `${route} has ${share} of the CPU, ${part / whole} by its profile`);
	await page.click("text=← Profiles");
	await page.click("#to-live a");
	await turn(page, 1);
	await page.click('#routes [data-route=""] >> text=CPU');
	await self.ready();
	check((await self.text("#facts")).includes("http.route: (none)"), "what has no route");
	equal(await page.$eval("[data-key='http.route']", (menu) => menu.value), "=", "the filter");
	await page.click("text=← Profiles");
}

async function questions(page) {
	let asked = 0;
	const seen = (request) => {
		if (request.url() === SITE + "routes")
			asked++;
	};
	page.on("request", seen);
	await new Promise((resolve) => { setTimeout(resolve, 2500); });
	page.off("request", seen);
	return asked;
}

/* Of a service that works: sorted, left for a profile of a route, come back to. */
async function working(browser, route) {
	const self = await Page.open(browser), { page } = self;
	await self.go();
	await known(page);
	await page.click("#to-live a");
	await page.waitForSelector("#live:not([hidden]) #routes");
	await turn(page, 2);
	await busy(page, route);
	check(await questions(page) >= 1, "it asks again and again");
	await page.click("[data-sort=p99]");
	equal(await page.getAttribute("th:has([data-sort=p99])", "aria-sort"), "descending", "sorted");
	check(page.url().includes("sort=p99"), "the address says by what");
	await page.click(`#routes [data-route="${route}"] >> text=Heap`);
	await self.ready();
	check(decodeURIComponent(page.url()).includes("f.http.route=" + route), "of that route");
	equal(await questions(page), 0, "questions while another page is shown");
	await page.goBack();
	await turn(page, 2);
	equal(await page.getAttribute("th:has([data-sort=p99])", "aria-sort"), "descending", "kept");
	await opened(self, route);
	await page.click("#to-live a");
	await page.click("#live .bar button");
	await page.waitForSelector("#index:not([hidden])");
	await self.end();
}

/* Side by side: each mostly waits for the next second. */
export default async function (browser, { route }) {
	await Promise.all([working(browser, route), cells(browser), hidden(browser)]);
}
