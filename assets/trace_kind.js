/*
 * What the page and its Worker both know of a trace: how the file of a trace
 * begins, and what a bar of the time line says.
 *
 * Not the format: that is trace_decode.js, in the Worker alone.
 */

/* Whether the file is a trace, which has views of its own. */
export function isTrace(bytes) {
	return bytes.length >= 16 && String.fromCharCode(...bytes.subarray(0, 3)) === "go ";
}

/* What a bar says. It also chooses the colour. */
export const RUNS = 0;
export const CALLS = 1;
export const WAITS = 2;
export const READY = 3;
