/*
 * This turns profile.proto, and gzip around it, into columns: plain arrays of
 * numbers, through which a worker can go fast. It runs in the Worker.
 *
 * Not a model of the message: what no view shows (build ids, addresses of
 * mappings) is skipped.
 *
 * Rule: the bytes may come from any file on somebody's disk. If they cannot be
 * read, there is one Error with one sentence; an id that names nothing is left
 * out.
 */
const text = new TextDecoder();

/* A growing column of 32-bit numbers. */
class Column {
	constructor() {
		this.data = new Int32Array(1024);
		this.length = 0;
	}

	push(value) {
		if (this.length === this.data.length) {
			const more = new Int32Array(2 * this.length);
			more.set(this.data);
			this.data = more;
		}
		this.data[this.length++] = value;
	}

	done() {
		return this.data.slice(0, this.length);
	}
}

/* Reads one message; a message inside is read by moving `end`. */
class Reader {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 0;
		this.end = bytes.length;
	}

	/* A number of up to 64 bits, exact below 2^53, signed. */
	number() {
		const bytes = this.bytes;
		let low = 0, middle = 0, high = 0, shift = 0, byte;
		do {
			if (this.at >= this.end)
				throw new Error("The profile ends in the middle of a number.");
			byte = bytes[this.at++];
			if (shift < 28)
				low |= (byte & 127) << shift;
			else if (shift < 56)
				middle |= (byte & 127) << (shift - 28);
			else if (shift < 70)
				high |= (byte & 127) << (shift - 56);
			else
				throw new Error("The profile has a number of more than 64 bits.");
			shift += 7;
		} while (byte & 128);
		if (shift <= 28)
			return low;
		if ((high & 128) === 0)
			return low + middle * 0x10000000 + (high & 127) * 2 ** 56;
		return -((~low & 0xfffffff) + (~middle & 0xfffffff) * 0x10000000 +
		    (~high & 255) * 2 ** 56 + 1);
	}

	/* Where the bytes that begin here end. */
	limit() {
		const length = this.number(), end = this.at + length;
		if (length < 0 || end > this.end)
			throw new Error("The profile is cut off.");
		return end;
	}

	skip(wire) {
		if (wire === 0)
			this.number();
		else if (wire === 1)
			this.at += 8;
		else if (wire === 2)
			this.at = this.limit();
		else if (wire === 5)
			this.at += 4;
		else
			throw new Error("This is no profile: it has a field of type " + wire + ".");
		if (this.at > this.end)
			throw new Error("The profile is cut off.");
	}

	/* Calls take(field) for each field. If take() does not read the field,
	 * it is skipped. */
	fields(end, take) {
		const outer = this.end;
		this.end = end;
		while (this.at < end) {
			const key = this.number(), before = this.at;
			take(Math.floor(key / 8), key & 7);
			if (this.at === before)
				this.skip(key & 7);
		}
		this.end = outer;
	}

	/* A message as the numbers of its fields. */
	message(wanted) {
		const found = new Array(wanted + 1).fill(0);
		this.fields(this.limit(), (field, wire) => {
			if (field <= wanted && wire === 0)
				found[field] = this.number();
		});
		return found;
	}

	/* A repeated number, packed or not. */
	each(wire, take) {
		if (wire !== 2) {
			take(this.number());
			return;
		}
		const end = this.limit();
		while (this.at < end)
			take(this.number());
	}
}

export async function gunzip(bytes) {
	if (bytes[0] !== 0x1f || bytes[1] !== 0x8b)
		return bytes;
	try {
		const stream = new Blob([bytes]).stream()
		    .pipeThrough(new DecompressionStream("gzip"));
		return new Uint8Array(await new Response(stream).arrayBuffer());
	} catch {
		throw new Error("The profile is gzipped, but cannot be unpacked.");
	}
}

/* First walk: reads everything but the samples, and keeps the samples' places.
 */
function readTables(reader) {
	const raw = { types: [], samples: new Column(), mappings: new Map(), locations: [],
		functions: new Map(), strings: [], comments: [], time: 0, duration: 0,
		periodType: [0, 0, 0], period: 0, defaultType: 0 };
	reader.fields(reader.end, (field, wire) => {
		if (field === 1)
			raw.types.push(reader.message(2));
		else if (field === 2 && wire === 2)
			readPlace(reader, raw.samples);
		else if (field === 3) {
			const mapping = reader.message(5);
			raw.mappings.set(mapping[1], mapping[5]);
		} else if (field === 4)
			raw.locations.push(readLocation(reader));
		else if (field === 5) {
			const fn = reader.message(4);
			raw.functions.set(fn[1], { name: fn[2], file: fn[4] });
		} else if (field === 6 && wire === 2) {
			const end = reader.limit();
			raw.strings.push(text.decode(reader.bytes.subarray(reader.at, end)));
			reader.at = end;
		} else if (field === 9)
			raw.time = reader.number();
		else if (field === 10)
			raw.duration = reader.number();
		else if (field === 11)
			raw.periodType = reader.message(2);
		else if (field === 12)
			raw.period = reader.number();
		else if (field === 13)
			reader.each(wire, (id) => raw.comments.push(id));
		else if (field === 14)
			raw.defaultType = reader.number();
	});
	return raw;
}

function readPlace(reader, places) {
	const end = reader.limit();
	places.push(reader.at);
	places.push(end);
	reader.at = end;
}

function readLocation(reader) {
	const location = { id: 0, mapping: 0, lines: [] };
	reader.fields(reader.limit(), (field) => {
		if (field === 1)
			location.id = reader.number();
		else if (field === 2)
			location.mapping = reader.number();
		else if (field === 4)
			location.lines.push(reader.message(2));
	});
	return location;
}

/* The files of one name, as a text. */
function someFiles(files) {
	const [first, ...more] = files;
	return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/*
 * Views show names: one for each function name, as pprof counts them. Several
 * functions may have one name, each in a file of its own. A location is a run
 * of frames, innermost first; a location without a line counts for its object.
 */
function shapeNames(raw) {
	const string = (id) => raw.strings[id] ?? "";
	const names = [], files = [], objects = [], objectOf = [], known = new Map();
	const objectIds = new Map(), fileIds = new Map();
	const first = new Column(), frame = new Column(), line = new Column();
	const fileAt = new Column();
	const place = new Map();

	function objectId(file) {
		const base = file.split("/").pop() || "?";
		if (!objectIds.has(base)) {
			objectIds.set(base, objects.length);
			objects.push(base);
		}
		return objectIds.get(base);
	}
	function fileId(file) {
		if (!fileIds.has(file))
			fileIds.set(file, fileIds.size);
		return fileIds.get(file);
	}
	function nameId(name, file, object) {
		let id = known.get(name);
		if (id === undefined) {
			id = names.length;
			known.set(name, id);
			names.push(name);
			files.push(new Set());
			objectOf.push(object);
		}
		files[id].add(file);
		return id;
	}
	function add(name, file, object, number) {
		frame.push(nameId(name, file, object));
		line.push(number);
		fileAt.push(fileId(file));
	}
	for (const location of raw.locations) {
		place.set(location.id, first.length);
		first.push(frame.length);
		const object = objectId(string(raw.mappings.get(location.mapping)));
		for (const [, fnId, number] of location.lines) {
			const fn = raw.functions.get(fnId);
			if (fn === undefined)
				continue;
			add(string(fn.name) || "?", string(fn.file), object, number);
		}
		/* pprof calls such a location so, too. */
		if (location.lines.length === 0)
			add(location.mapping === 0 ? "<unknown>" : "[" + objects[object] + "]", "",
			    object, 0);
	}
	first.push(frame.length);
	return { names, files: files.map(someFiles), allFiles: [...fileIds.keys()],
		fileAt: fileAt.done(), objects, objectOf: Int32Array.from(objectOf), place,
		first: first.done(), frame: frame.done(), line: line.done() };
}

/* Returns "8192 bytes" for a number with a unit, as pprof -tags would scale it.
 */
function tagValue(raw, label) {
	if (label[2] !== 0)
		return raw.strings[label[2]] ?? "";
	const unit = raw.strings[label[4]] ?? "";
	return String(label[3]) + (unit === "" ? "" : " " + unit);
}

/* Second walk: reads the samples. */
function readSamples(reader, raw, shape) {
	const count = raw.samples.length / 2, types = raw.types.length;
	const values = new Float64Array(count * types);
	const stack = new Column(), stackAt = new Int32Array(count + 1);
	const tag = new Column(), tagAt = new Int32Array(count + 1);
	const tags = [], known = new Map();
	let at, negative = false;

	function readTag() {
		const label = reader.message(4);
		const key = raw.strings[label[1]] ?? "";
		if (label[2] === 0 && label[3] === 0)
			return;
		const value = tagValue(raw, label), id = key + "\0" + value;
		if (!known.has(id)) {
			known.set(id, tags.length);
			tags.push({ key, value, number: label[2] === 0 });
		}
		tag.push(known.get(id));
	}
	function takeLocation(id) {
		const location = shape.place.get(id);
		if (location !== undefined)
			stack.push(location);
	}
	function takeValue(value) {
		if (at >= types)
			throw new Error("A sample of the profile has too many values.");
		negative ||= value < 0;
		values[sample * types + at++] = value;
	}
	let sample = 0;
	for (; sample < count; sample++) {
		at = 0;
		reader.at = raw.samples.data[2 * sample];
		reader.fields(raw.samples.data[2 * sample + 1], (field, wire) => {
			if (field === 1)
				reader.each(wire, takeLocation);
			else if (field === 2)
				reader.each(wire, takeValue);
			else if (field === 3)
				readTag();
		});
		stackAt[sample + 1] = stack.length;
		tagAt[sample + 1] = tag.length;
	}
	return { count, values, negative, stack: stack.done(), stackAt, tag: tag.done(), tagAt,
		tags };
}

export function decode(bytes) {
	const reader = new Reader(bytes);
	const raw = readTables(reader);
	const string = (id) => raw.strings[id] ?? "";
	if (raw.types.length === 0)
		throw new Error("This is no profile: it says of no sample type.");
	const shape = shapeNames(raw);
	const samples = readSamples(reader, raw, shape);
	const types = raw.types.map(([, type, unit]) =>
	    ({ type: string(type), unit: string(unit) }));
	let chosen = types.findIndex((t) => t.type === string(raw.defaultType));
	if (raw.defaultType === 0 || chosen < 0)
		chosen = types.length - 1;
	return { ...shape, ...samples, types, defaultType: chosen, time: raw.time,
		duration: raw.duration, period: raw.period,
		periodType: { type: string(raw.periodType[1]), unit: string(raw.periodType[2]) },
		comments: raw.comments.map(string) };
}
