/*
 * The viewer of `go tool trace` with a trace of ours: its rows are named, every
 * request is on the row of a worker, its task on another, and no arrow goes
 * back in time. Returns what it has seen, and draws a part of it.
 */
import { check, Page } from "./page.mjs";

const LOOP = /^G\d+ worker \d event loop$/;

/* What the viewer has in its model: of each row the bars, in ms. */
function model(page) {
	return page.evaluate(() => {
		const { model: all } = document.querySelector("tr-ui-timeline-view");
		const rows = [];
		/* Newer viewers say "G4 NAME (NAME)". */
		const named = (title) => title.replace(/^G\d+ (.*) \(\1\)$/, "$1");
		for (const process of Object.values(all.processes)) {
			for (const thread of Object.values(process.threads)) {
				rows.push({ name: thread.name, bars: thread.sliceGroup.slices
				    .map((slice) => [named(slice.title), slice.start, slice.duration]) });
			}
		}
		const arrows = all.flowEvents.map((flow) =>
		    [flow.start, flow.start + flow.duration]);
		return { rows, arrows };
	});
}

/* From and to, in ms; with arrows and without the box of tools. */
async function zoom(page, from, to) {
	await page.evaluate(([low, high]) => {
		const view = document.querySelector("tr-ui-timeline-view");
		const transform = new tr.ui.TimelineDisplayTransform();
		const { clientWidth } = view.trackView_.rulerTrack_;
		transform.xSetWorldBounds(low, high, clientWidth - 250);
		view.trackView_.viewport.setDisplayTransformImmediately(transform);
		for (const { category } of view.model.flowEvents)
			view.trackView_.viewport.selectedFlowEvents.add(category);
		view.trackView_.viewport.dispatchChangeEvent();
		view.mouseModeSelector_?.remove();
	}, [from, to]);
	await page.waitForTimeout(1000);
}

function judge({ rows, arrows }, route) {
	const loops = rows.filter((row) => row.bars.some(([title]) => LOOP.test(title)));
	check(loops.length === 2, `two rows of loops: ${JSON.stringify(rows.map((row) => row.name))}`);
	const where = (title) => rows.filter((row) => row.bars.some(([name]) => name === title));
	check(where(route).length > 0, "requests are named");
	for (const row of where(route))
		check(loops.includes(row), `${route} on ${row.name}`);
	const tasks = where("task of " + route);
	check(tasks.length > 0, "tasks are named");
	for (const row of tasks)
		check(!loops.includes(row), `a task on ${row.name}`);
	check(arrows.length > 0, "there are arrows");
	for (const [from, to] of arrows)
		check(to >= from, `an arrow from ${from} to ${to}`);
}

export default async function (browser, { site, route, image }) {
	const self = await Page.open(browser, { viewport: { width: 1100, height: 900 } });
	const { page } = self;
	await page.goto(site + "/trace");
	await page.waitForFunction(() => {
		const view = document.querySelector("tr-ui-timeline-view");
		return view?.model && view.trackView_?.viewport;
	});
	await page.getByText("Hide", { exact: true }).click().catch(() => {});
	const found = await model(page);
	judge(found, route);
	/* The longest task, and what is around it. */
	const [, start, took] = found.rows.flatMap((row) => row.bars)
	    .filter(([title]) => title === "task of " + route)
	    .reduce((one, other) => (other[2] > one[2] ? other : one));
	await zoom(page, start - took, start + 2 * took);
	await page.screenshot({ path: image, clip: { x: 0, y: 0, width: 1100, height: 440 } });
	return { rows: found.rows.map((row) => [row.name, row.bars.length]),
		arrows: found.arrows.length };
}
