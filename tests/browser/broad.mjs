/*
 * A profile in which every frame is small: 668,000 nodes below 4,000 roots, none
 * of which has a pixel of its own. There is something to see, and a way down.
 */
import { check, equal, Page } from "./page.mjs";

const boxes = (page) => page.$eval("#flame", (canvas) => Number(canvas.dataset.boxes));
const picture = (page) => page.$eval("#flame", (canvas) => canvas.toDataURL());

export default async function (browser, { file }) {
	const self = await Page.open(browser), { page } = self;
	await self.go();
	await self.openFile(file);
	const first = await boxes(page), seen = [await picture(page)], told = [];
	check(first >= 50, "boxes on opening: " + first);
	check(await page.locator("text=drawn narrower than they are").isVisible(), "it says so");
	const { width } = await page.locator("#flame").boundingBox();
	for (let step = 0; step < 3; step++) {
		/* The last box of the row below what is in focus: the group. */
		await self.after(() => page.click("#flame", { position: { x: width - 8,
			y: 19 * (step === 0 ? 1 : 2) + 8 } }));
		check(page.url().includes("zoom=%2B") || page.url().includes("zoom=+"),
		    "a group: " + page.url());
		told.push(Number(/^([\d,]+) smaller frames: /.exec(await self.text("#detail"))[1]
		    .replace(",", "")));
		check(await boxes(page) >= 50, "boxes in the group");
		seen.push(await picture(page));
	}
	equal(new Set(seen).size, 4, "pictures that differ");
	check(told[0] > told[1] && told[1] > told[2] && told[0] < 4000, "fewer are left: " + told);
	const at = await self.text("#detail");
	await page.reload();
	await self.ready();
	equal(await self.text("#detail"), at, "the group after a reload");
	await self.end();
	return { boxes: first };
}
