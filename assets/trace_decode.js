/*
 * An execution trace of Go's v1 format ("go 1.19 trace"), read into what a time
 * line needs: what each request and task did when, and on which thread.
 *
 * Not every event is read: only those that say when something ran, was in a
 * system call or waited, and its stack.
 *
 * Rule: bounded. If a trace has more than BARS_MAX pieces, it is shown up to
 * there, and the page says so. If a trace is damaged, there is one sentence.
 *
 * The format is that of runtime/trace.go in Go 1.19.
 */
import { CALLS, isTrace, READY, RUNS, WAITS } from "./trace_kind.js";

export const BARS_MAX = 400000;

const WORDS = new TextDecoder();
const BATCH = 1, FREQUENCY = 2, STACK = 3, TIMER = 35, STRING = 37, LOG = 48;
const CREATE = 13, START = 14, END = 15, SYSCALL = 28, SYSEXIT = 29, SYSBLOCK = 30;
const WAITING = 31, INSYSCALL = 32, START_LOCAL = 38, UNBLOCK = 21, UNBLOCK_LOCAL = 39;
const START_LABEL = 41, TASK = 45, TASK_END = 46, SAMPLE = 49;
/* After Stop, Sched and Preempt a G is runnable; after Sleep and Block* it
 * waits. */
const READY_AGAIN = new Set([16, 17, 18]), BLOCKS = new Set([19, 20, 22, 23, 24, 25, 26, 27]);

class Reader {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 16;
	}

	byte() {
		if (this.at >= this.bytes.length)
			throw new Error("The trace is cut off.");
		return this.bytes[this.at++];
	}

	/* Numbers up to 2^53 are exact; larger ones are addresses, which nobody
	 * asks for. */
	number() {
		let value = 0, scale = 1;
		for (let i = 0; i < 10; i++) {
			const byte = this.byte();
			value += (byte & 0x7f) * scale;
			if (byte < 0x80)
				return value;
			scale *= 128;
		}
		throw new Error("The trace is damaged.");
	}

	text() {
		const length = this.number(), from = this.at;
		this.at += length;
		if (this.at > this.bytes.length)
			throw new Error("The trace is cut off.");
		return WORDS.decode(this.bytes.subarray(from, this.at));
	}

	/* Reads one record: [type, its numbers]. */
	record(numbers) {
		const head = this.byte(), type = head & 0x3f, code = head >> 6;
		numbers.length = 0;
		if (type === STRING)
			return type;
		if (code < 3) {
			for (let i = 0; i <= code; i++)
				numbers.push(this.number());
			return type;
		}
		const length = this.number(), end = this.at + length;
		while (this.at < end)
			numbers.push(this.number());
		if (this.at !== end)
			throw new Error("The trace is damaged.");
		return type;
	}
}

/* What is known while the records are read. */
class Trace {
	constructor() {
		this.strings = new Map([[0, ""]]);
		this.stacks = new Map();
		this.ps = new Map(); /* pid -> { ts, g, call } */
		this.gs = new Map(); /* id -> { entry, label, moves } */
		this.tasks = new Map(); /* id -> { name, g, start, end } */
		this.perSecond = 1e9;
		this.moves = 0;
		this.until = 0;
		this.cut = false;
		this.p = null;
	}

	g(id) {
		let found = this.gs.get(id);
		if (found === undefined) {
			found = { id, entry: 0, label: 0, moves: [] };
			this.gs.set(id, found);
		}
		return found;
	}

	/* From now on the G is in the given state. */
	move(id, p, state, stack) {
		if (id === 0 || this.moves >= BARS_MAX) {
			this.cut ||= id !== 0;
			return;
		}
		this.moves++;
		this.g(id).moves.push(p.ts, state, p.pid, stack);
	}

	batch(pid, ts) {
		this.p = this.ps.get(pid);
		if (this.p === undefined) {
			this.p = { pid, ts, g: 0, call: 0 };
			this.ps.set(pid, this.p);
		}
		this.p.ts = ts;
	}

	event(type, numbers, reader) {
		const p = this.p;
		if (p === null)
			throw new Error("The trace is damaged.");
		p.ts += numbers[0];
		if (type !== SAMPLE)
			this.until = Math.max(this.until, p.ts);
		const last = numbers[numbers.length - 1];
		if (type === CREATE) {
			this.g(numbers[1]).entry = numbers[2];
			this.move(numbers[1], p, READY, last);
		} else if (type === START || type === START_LOCAL || type === START_LABEL) {
			p.g = numbers[1];
			if (type === START_LABEL)
				this.g(p.g).label = numbers[3];
			this.move(p.g, p, RUNS, 0);
		} else if (type === END) {
			this.move(p.g, p, -1, 0);
			p.g = 0;
		} else if (READY_AGAIN.has(type) || BLOCKS.has(type)) {
			this.move(p.g, p, BLOCKS.has(type) ? WAITS : READY, last);
			p.g = 0;
		} else if (type === SYSCALL) {
			p.call = last;
		} else if (type === SYSBLOCK) {
			this.move(p.g, p, CALLS, p.call);
			p.g = 0;
		} else if (type === WAITING || type === INSYSCALL) {
			this.move(numbers[1], p, type === WAITING ? WAITS : CALLS, 0);
		} else if (type === UNBLOCK || type === UNBLOCK_LOCAL || type === SYSEXIT) {
			this.move(numbers[1], p, READY, 0);
		} else if (type === TASK) {
			this.tasks.set(numbers[1], { name: numbers[3], g: p.g, start: p.ts, end: -1 });
		} else if (type === TASK_END) {
			const task = this.tasks.get(numbers[1]);
			if (task !== undefined)
				task.end = p.ts;
		} else if (type === LOG) {
			reader.text();
		}
	}

	read(reader) {
		const numbers = [];
		while (reader.at < reader.bytes.length) {
			const type = reader.record(numbers);
			if (type === BATCH)
				this.batch(numbers[0], numbers[1]);
			else if (type === STRING)
				this.strings.set(reader.number(), reader.text());
			else if (type === STACK)
				this.stacks.set(numbers[0], numbers.slice(2));
			else if (type === FREQUENCY)
				this.perSecond = numbers[0];
			else if (type !== TIMER)
				this.event(type, numbers, reader);
		}
	}

	/* Returns the functions of a stack, leaf first, with their place. */
	frames(id) {
		const words = this.stacks.get(id) ?? [], frames = [];
		for (let i = 0; i + 3 < words.length; i += 4) {
			const file = this.strings.get(words[i + 2]) ?? "";
			frames.push((this.strings.get(words[i + 1]) ?? "?") +
			    (file === "" ? "" : ` ${file.split("/").pop()}:${words[i + 3]}`));
		}
		return frames;
	}

	name(g) {
		const words = this.stacks.get(g.entry);
		return words === undefined ? `G${g.id}` : this.strings.get(words[1]) ?? "?";
	}
}

/* Returns the bars of one lane, in order of time, as columns. */
function columns(bars) {
	bars.sort((a, b) => a[0] - b[0]);
	return { start: Float64Array.from(bars, (bar) => bar[0]),
		end: Float64Array.from(bars, (bar) => bar[1]),
		state: Uint8Array.from(bars, (bar) => bar[2]),
		g: Float64Array.from(bars, (bar) => bar[3]),
		stack: Uint32Array.from(bars, (bar) => bar[4]) };
}

/* Makes lanes below a thread for what waits; at most LANES_MAX are used at a
 * time. */
const LANES_MAX = 6;
function lanes(waits) {
	const made = [], free = [];
	let left = 0;
	waits.sort((a, b) => a[0] - b[0]);
	for (const bar of waits) {
		let lane = free.findIndex((until) => until <= bar[0]);
		if (lane === -1 && free.length < LANES_MAX)
			lane = made.push([]) - 1;
		if (lane === -1) {
			left++;
			continue;
		}
		free[lane] = bar[1];
		made[lane].push(bar);
	}
	return { lanes: made.map(columns), left };
}

/* Gs of the server itself: event loops, and threads that run no request or
 * task. */
const BASE_NAME = /^worker \d+ (event loop|thread)/;

/*
 * Returns { start, seconds, rows: [{ name, bars, waits, left }], names: Map,
 * tasks, cut }. Times are seconds from the start. stackOf() gives the stack of
 * a bar.
 */
function arrange(trace, from) {
	const rows = new Map(), names = new Map(), scale = 1 / trace.perSecond;
	const rowOf = (pid) => {
		if (!rows.has(pid))
			rows.set(pid, { pid, name: "", bars: [], waits: [] });
		return rows.get(pid);
	};
	for (const [id, g] of trace.gs) {
		const name = trace.name(g), base = BASE_NAME.test(name), moves = g.moves;
		const order = [...Array(moves.length / 4).keys()].sort((a, b) =>
		    moves[4 * a] - moves[4 * b] || a - b);
		names.set(id, name);
		order.forEach((at, index) => {
			const [ts, state, pid, stack] = moves.slice(4 * at, 4 * at + 4);
			if (base && state === RUNS && rowOf(pid).name === "")
				rowOf(pid).name = name.replace(/ event loop$/, "");
			const next = order[index + 1];
			const end = next === undefined ? trace.until : moves[4 * next];
			if (base || state === -1 || state === READY && end === ts)
				return;
			const bar = [(ts - from) * scale, (end - from) * scale, state, id, stack];
			(state === RUNS || state === CALLS ? rowOf(pid).bars : rowOf(pid).waits).push(bar);
		});
	}
	const list = [...rows.values()].sort((a, b) => a.pid - b.pid).filter((row) =>
	    row.name !== "" || row.bars.length > 0);
	return { rows: list.map((row) => ({ name: row.name || `thread ${row.pid}`,
		bars: columns(row.bars), ...renamed(lanes(row.waits)) })), names };
}

function renamed({ lanes: waits, left }) {
	return { waits, left };
}

/* Returns, by name, how many tasks ended, and the slowest of them. */
const SLOWEST = 8;
function slowest(trace, from) {
	const types = new Map(), scale = 1 / trace.perSecond;
	for (const task of trace.tasks.values()) {
		const name = trace.strings.get(task.name) ?? "?";
		if (!types.has(name))
			types.set(name, { name, begun: 0, ended: 0, total: 0, slow: [] });
		const type = types.get(name);
		type.begun++;
		if (task.end < 0)
			continue;
		type.ended++;
		const seconds = (task.end - task.start) * scale;
		type.total += seconds;
		type.slow.push({ g: task.g, start: (task.start - from) * scale, seconds });
		if (type.slow.length >= 64 * SLOWEST)
			type.slow = keep(type.slow);
	}
	return [...types.values()].map((type) => ({ ...type, slow: keep(type.slow) }))
	    .sort((a, b) => b.total - a.total);
}

function keep(list) {
	return list.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
}

export function decodeTrace(bytes) {
	if (!isTrace(bytes))
		throw new Error("This is no execution trace.");
	const version = WORDS.decode(bytes.subarray(0, 16)).replace(/\0.*/s, "");
	if (!/^go 1\.(11|19|21) trace$/.test(version))
		throw new Error(`A trace of the form "${version}" is not read here: see it in go tool trace.`);
	const trace = new Trace();
	trace.read(new Reader(bytes));
	let from = Infinity;
	for (const g of trace.gs.values())
		from = Math.min(from, g.moves[0] ?? Infinity);
	if (from === Infinity)
		throw new Error("The trace has no events.");
	return { ...arrange(trace, from), seconds: (trace.until - from) / trace.perSecond,
		tasks: slowest(trace, from), cut: trace.cut,
		frames: (stack) => trace.frames(stack) };
}
