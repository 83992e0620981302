/*
 * The live view: numbers of two answers that are known, then of a service that
 * works; sorted, left for a profile of a route, come back to, hidden.
 */
import { check, equal, Page, SITE } from "./page.mjs";

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
	const rate = await cell(page, route, "rate"), p50 = await cell(page, route, "p50");
	check(rate > 0, "requests a second: " + rate);
	check(p50 > 0 && p50 <= await cell(page, route, "p99"), "p50 is not over p99");
	check(await cell(page, route, "now") >= 0, "in flight");
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

export default async function (browser, { route }) {
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
	await page.click("#live .bar button");
	await page.waitForSelector("#index:not([hidden])");
	await self.end();
}
