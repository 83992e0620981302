/*
 * Numbers as people read them, by the units that profiles have.
 *
 * Rule: three digits that count; the exact number stands in a title or in
 * data-value.
 */
const STEPS = {
	nanoseconds: [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]],
	microseconds: [["µs", 1], ["ms", 1e3], ["s", 1e6]],
	milliseconds: [["ms", 1], ["s", 1e3]],
	seconds: [["s", 1]],
	bytes: [["B", 1], ["KiB", 1024], ["MiB", 1024 ** 2], ["GiB", 1024 ** 3],
		["TiB", 1024 ** 4]],
};

function digits(value) {
	const size = Math.abs(value);
	if (size >= 1000)
		return Math.round(value).toLocaleString("en");
	if (size >= 100 || Number.isInteger(value))
		return value.toFixed(0);
	return value.toFixed(size >= 10 ? 1 : 2);
}

export function amount(value, unit) {
	const steps = STEPS[unit];
	if (steps !== undefined && Math.abs(value) < 0.5 * steps[0][1])
		return "0 " + steps[0][0];
	if (steps === undefined)
		return digits(value) + (unit === "count" || unit === "" ? "" : " " + unit);
	let [name, size] = steps[0];
	for (const step of steps) {
		if (Math.abs(value) >= step[1])
			[name, size] = step;
	}
	return digits(value / size) + " " + name;
}

/* A change is written with its sign. */
export function change(value, unit) {
	const text = amount(value, unit);
	return value > 0 && !text.startsWith("0 ") ? "+" + text : text;
}

export function percent(part, whole) {
	if (!whole)
		return "0 %";
	const share = 100 * part / whole;
	return (Math.abs(share) >= 10 || share === 0 ? share.toFixed(1) : share.toFixed(2)) + " %";
}

export function count(value) {
	return value.toLocaleString("en");
}

export function size(bytes) {
	return amount(bytes, "bytes");
}

/* A sample type as a menu names it. */
const TYPES = {
	"cpu nanoseconds": "CPU time", "samples count": "CPU samples",
	"inuse_space bytes": "bytes in use", "inuse_objects count": "objects in use",
	"alloc_space bytes": "bytes allocated", "alloc_objects count": "objects allocated",
	"delay nanoseconds": "time waited", "contentions count": "waits",
	"goroutine count": "in progress", "threadcreate count": "threads",
};

export function typeName({ type, unit }) {
	return TYPES[type + " " + unit] ?? `${type} (${unit})`;
}

export function clock(milliseconds) {
	return new Date(milliseconds).toLocaleTimeString("en-GB");
}
