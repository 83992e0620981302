/*
 * Runs one browser test: node run.mjs NAME JSON. What it returns is printed as
 * the last line, in JSON; the exit status is 1 when it failed.
 */
import { launch } from "./page.mjs";

const [name, given] = process.argv.slice(2);
const browser = await launch();
try {
	const { default: test } = await import(`./${name}.mjs`);
	const found = await test(browser, JSON.parse(given ?? "{}"));
	console.log(JSON.stringify(found ?? {}));
} catch (error) {
	console.error(error.stack);
	process.exitCode = 1;
} finally {
	await browser.close();
}
