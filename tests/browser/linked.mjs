/*
 * A page of another site: its link opens the index page, from which one goes
 * on; its frames get nothing, and neither does a name that was pointed here.
 * (What a picture was answered a browser tells nobody.)
 */
import { createServer } from "node:http";
import { equal, SITE, until } from "./page.mjs";

const PAGE = `<!doctype html><title>elsewhere</title>
<a id="index" href="${SITE}">index</a> <a id="heap" href="${SITE}heap?debug=1">heap</a>
<iframe src="${SITE}heap?gc=1"></iframe><iframe src="${SITE}"></iframe>`;

export default async function (browser) {
	const server = createServer((request, response) => {
		response.setHeader("content-type", "text/html");
		response.end(PAGE);
	});
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	server.unref();
	/* Another host than SITE's, and so another site. */
	const elsewhere = `http://localhost:${server.address().port}/`;
	const page = await browser.newPage();
	const status = new Map();
	page.on("response", (response) => status.set(response.url(), response.status()));
	await page.goto(elsewhere);
	for (const path of ["heap?gc=1", ""]) {
		await until(path, () => status.has(SITE + path));
		equal(status.get(SITE + path), 403, path);
	}
	await page.click("#heap");
	await until("the heap", () => status.has(SITE + "heap?debug=1"));
	equal(status.get(SITE + "heap?debug=1"), 403, "a link to a profile");
	await page.goto(elsewhere);
	await page.click("#index");
	await page.waitForSelector("#rates");
	equal(status.get(SITE), 200, "a link to the index page");
	const further = await page.locator('td a[href^="goroutine"]').first().getAttribute("href");
	equal((await page.goto(new URL(further, SITE).href)).status(), 200, further);
	const { port } = new URL(SITE);
	equal((await page.goto(`http://evil.localhost:${port}/debug/pprof/`)).status(), 403,
	    "a name that was pointed here");
}
