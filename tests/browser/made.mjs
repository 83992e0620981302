/*
 * Profiles made for the tests of the pages: large ones, and hostile ones,
 * which no service here would write.
 *
 * Not the product's encoder: it writes what profile.proto allows, and no more
 * of it than the tests need.
 *
 *     node made.mjs many|broad|hostile|twins|callers FILE
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

/* A growing buffer of one message. */
class Message {
	constructor() {
		this.parts = [];
	}

	varint(value) {
		let rest = BigInt.asUintN(64, BigInt(value));
		while (rest > 127n) {
			this.parts.push(Number(rest & 127n) | 128);
			rest >>= 7n;
		}
		this.parts.push(Number(rest));
		return this;
	}

	number(field, value) {
		return this.varint(field * 8).varint(value);
	}

	bytes(field, bytes) {
		this.varint(field * 8 + 2).varint(bytes.length);
		for (const byte of bytes)
			this.parts.push(byte);
		return this;
	}

	message(field, message) {
		return this.bytes(field, message.parts);
	}

	packed(field, values) {
		const inner = new Message();
		for (const value of values)
			inner.varint(value);
		return this.message(field, inner);
	}
}

/* A CPU profile of samples { stack: [function numbers, leaf first], ns,
 * labels: { key: text } } over the functions `names`, each of its source file
 * and in its object. */
export function profile(names, samples, files = [], objects = []) {
	const strings = new Map([["", 0]]), chunks = [];
	const string = (text) => {
		if (!strings.has(text))
			strings.set(text, strings.size);
		return strings.get(text);
	};
	const put = (field, message) => {
		const head = new Message().message(field, message);
		chunks.push(Uint8Array.from(head.parts));
	};
	const type = (name, unit) => new Message().number(1, string(name)).number(2, string(unit));
	put(1, type("samples", "count"));
	put(1, type("cpu", "nanoseconds"));
	const object = (index) => objects[index] ?? "/srv/made.so";
	const mappings = [...new Set(names.map((_, index) => object(index)))];
	mappings.forEach((path, index) =>
		put(3, new Message().number(1, index + 1).number(2, 0x1000000 * index + 0x1000)
		    .number(3, 0x1000000 * index + 0x900000).number(5, string(path))));
	names.forEach((name, index) => {
		const id = index + 1, mapping = mappings.indexOf(object(index));
		put(5, new Message().number(1, id).number(2, string(name))
		    .number(3, string(name)).number(4, string(files[index] ?? "made.c")));
		put(4, new Message().number(1, id).number(2, mapping + 1)
		    .number(3, 0x1000000 * mapping + 0x1000 + 16 * id)
		    .message(4, new Message().number(1, id).number(2, 10 + index % 400)));
	});
	for (const sample of samples) {
		const message = new Message().packed(1, sample.stack.map((fn) => fn + 1))
		    .packed(2, [1, sample.ns]);
		for (const [key, value] of Object.entries(sample.labels ?? {}))
			message.message(3, new Message().number(1, string(key))
			    .number(2, string(value)));
		put(2, message);
	}
	for (const text of strings.keys())
		put(6, { parts: new TextEncoder().encode(text) });
	chunks.push(Uint8Array.from(new Message().number(9, 1700000000000000000n)
	    .number(10, 10000000000n).message(11, type("cpu", "nanoseconds"))
	    .number(12, 10000000).parts));
	return gzipSync(Buffer.concat(chunks), { level: 1 });
}

/* The same numbers in each run. */
function random(seed) {
	let state = seed;
	return (below) => {
		state = Math.imul(state, 1664525) + 1013904223 >>> 0;
		return Math.floor(state / 4294967296 * below);
	};
}

const made = {
	/* 20,000 samples of few stacks, as a service of many routes has them. */
	many() {
		const pick = random(1), samples = [], stacks = [];
		const names = Array.from({ length: 900 }, (_, i) => `service_function_${i}`);
		for (let i = 0; i < 700; i++) {
			const base = i > 3 ? stacks[pick(i)].slice(pick(6)) : [pick(900)];
			const top = Array.from({ length: 4 + pick(18) }, () => pick(900));
			stacks.push([...top, ...base].slice(-40));
		}
		for (let i = 0; i < 20000; i++)
			samples.push({ stack: stacks[pick(700)], ns: 1000000 * (1 + pick(9)),
				labels: { "http.route": "/r" + pick(40), "http.method": "GET",
					shard: "s" + pick(600) } });
		return profile(names, samples);
	},
	/* 30,000 samples that share little: 668,000 nodes of a tree. */
	broad() {
		const pick = random(2), samples = [];
		const names = Array.from({ length: 4000 }, (_, i) => `f${i}`);
		for (let i = 0; i < 30000; i++)
			samples.push({ stack: Array.from({ length: 24 }, () => pick(4000)),
				ns: 10000000, labels: { "http.route": "/r" + i % 8 } });
		return profile(names, samples);
	},
	/* Two static functions of one name, each in a file of its own. */
	twins() {
		return profile(["main", "parse", "parse"], [
			{ stack: [1, 0], ns: 3000000 }, { stack: [2, 0], ns: 5000000 },
			{ stack: [2, 1, 0], ns: 7000000 }],
		["/srv/main.c", "/srv/header.c", "/srv/body.c"]);
	},
	/* A program and a library that only call, and two in which the time is. */
	callers() {
		return profile(["main", "page", "part", "copy"], [
			{ stack: [2, 1, 0], ns: 3000000 }, { stack: [3, 2, 1, 0], ns: 7000000 }],
		[], ["/srv/kore", "/srv/app.so", "/srv/part.so", "/srv/libc.so.6"]);
	},
	/* Texts that a page must show as texts. */
	hostile() {
		const names = ["main", '<img src=x onerror="alert(1)">',
			"</script><script>alert(2)</script>", "javascript:alert(3)",
			"__proto__", "constructor", "a\u202eb\u0000c\nd", "n".repeat(10000)];
		const route = `/"quoted'/<b>&amp;`;
		return profile(names, names.map((_, index) => ({
			stack: index === 0 ? [0] : [index, 0], ns: 1000000 * (index + 1),
			labels: { "http.route": index % 2 ? route : "/plain",
				["__proto__"]: index % 2 ? "even" : "odd", constructor: "c", ["<i>key</i>"]: "<u>value</u>",
				long: "L".repeat(10000) } })));
	},
};

export const kinds = Object.keys(made);
export function make(kind) {
	return made[kind]();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
	writeFileSync(process.argv[3], make(process.argv[2]));
