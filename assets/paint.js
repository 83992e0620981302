/*
 * This draws the visible rows of a flame graph's layout.
 *
 * The colour of a box says in which file the function is: kore, the
 * application's module, or a library; neighbours differ a little in tone.
 * Between two profiles the colour says how the share of the function has
 * changed: blue for less, red for more.
 *
 * Rule: only what can be seen is drawn, so that the time of a frame depends on
 * the size of the screen and not on that of the profile.
 */
export const ROW = 19;

/* A narrower box gets no name: what fits of a name would be none. */
const LABELLED = 45;

/* These hues can be told apart, also by people for whom red and green look
 * alike. Files that every service has keep their own hues; the other files get
 * the other hues in the order of their weight. */
const KNOWN = { kore: 150, "libc.so.6": 28, "pprof.so": 275 };
const HUES = [212, 330, 185, 55];

let dark = matchMedia("(prefers-color-scheme: dark)");
export function onTheme(call) {
	dark.addEventListener("change", call);
}

function tone(name) {
	let hash = 0;
	for (let i = 0; i < name.length && i < 64; i++)
		hash = Math.imul(hash, 31) + name.charCodeAt(i) | 0;
	return (hash >>> 8) % 7;
}

/* Ranks the objects that have a box, by the time in them, which may be none.
 * The first objects get a hue each. */
export function rankObjects(sums) {
	const weight = sums.objects.map((name, index) =>
		({ name, index, weight: 0, drawn: false }));
	const either = (values, frame) => Math.abs(values[0][frame]) +
	    (sums.paired ? Math.abs(values[1][frame]) : 0);
	for (let frame = 0; frame < sums.names.length; frame++) {
		const object = weight[sums.objectOf[frame]];
		object.weight += either(sums.flat, frame);
		object.drawn ||= either(sums.cum, frame) > 0;
	}
	const order = weight.filter((object) => object.drawn)
	    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
	const hue = new Array(sums.objects.length).fill(null);
	const others = HUES.values();
	for (const { name, index } of order.filter((object) => object.name !== "?"))
		hue[index] = Object.hasOwn(KNOWN, name) ? KNOWN[name] : others.next().value ?? null;
	return { hue, order };
}

export function objectColour(hue, step = 3) {
	if (hue === null)
		return dark.matches ? `hsl(215 8% ${30 + step}%)` : `hsl(215 10% ${82 - step}%)`;
	return dark.matches ? `hsl(${hue} 42% ${27 + 1.6 * step}%)` :
	    `hsl(${hue} ${hue === 55 ? 62 : 70}% ${83 - 1.7 * step}%)`;
}

/* `part` is -1 for gone, 0 for unchanged, 1 for new. */
export function changeColour(part) {
	const strength = Math.min(1, Math.abs(part) * 1.4);
	const hue = part < 0 ? 212 : 8;
	return dark.matches ? `hsl(${hue} ${Math.round(65 * strength)}% ${32 + 8 * strength}%)` :
	    `hsl(${hue} ${Math.round(80 * strength)}% ${90 - 22 * strength}%)`;
}

export class Painter {
	constructor(canvas) {
		this.canvas = canvas;
		this.context = canvas.getContext("2d");
		this.widths = new Map();
		this.colours = new Map();
		onTheme(() => this.colours.clear());
	}

	use(tree, sums) {
		this.tree = tree;
		this.sums = sums;
		this.rank = rankObjects(sums);
		this.widths.clear();
		this.colours.clear();
	}

	name(node, from) {
		if (node < 0)
			return `${(this.tree.kids[~node] - from).toLocaleString("en")} smaller frames`;
		return node === 0 ? "all" : this.sums.names[this.tree.frame[node]];
	}

	colour(node) {
		const { tree, sums } = this;
		if (node <= 0)
			return dark.matches ? "#2a313b" : "#e2e6ec";
		if (tree.paired) {
			const scale = sums.signed || !sums.total[0] || !sums.total[1] ? 1 :
			    sums.total[0] / sums.total[1];
			const left = tree.left[node], right = tree.right[node] * scale;
			return changeColour((right - left) / (right + left || 1));
		}
		const frame = tree.frame[node];
		let colour = this.colours.get(frame);
		if (colour === undefined) {
			colour = objectColour(this.rank.hue[sums.objectOf[frame]],
			    tone(sums.names[frame]));
			this.colours.set(frame, colour);
		}
		return colour;
	}

	resize(width, height) {
		const ratio = devicePixelRatio || 1;
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(height * ratio);
		this.canvas.style.width = width + "px";
		this.canvas.style.height = height + "px";
		this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
	}

	/* `from` is the first pixel that is shown, `cursor` is { row, box } or
	 * null. */
	draw({ layout, top, width, height, hits, cursor }) {
		const context = this.context;
		context.clearRect(0, 0, width, height);
		context.font = "12px system-ui, sans-serif";
		context.textBaseline = "middle";
		const first = Math.max(0, Math.floor(top / ROW));
		const last = Math.min(layout.rows.length, Math.ceil((top + height) / ROW));
		for (let row = first; row < last; row++)
			this.row(layout.rows[row], row * ROW - top, hits, row < layout.focusRow);
		if (cursor !== null && cursor.row >= first && cursor.row < last) {
			const row = layout.rows[cursor.row];
			context.strokeStyle = dark.matches ? "#ffffff" : "#10151c";
			context.lineWidth = 2;
			context.strokeRect(row.x[cursor.box] + 1, cursor.row * ROW - top + 1,
			    Math.max(row.width[cursor.box] - 3, 1), ROW - 3);
		}
	}

	row(row, y, hits, above) {
		const context = this.context;
		for (let box = 0; box < row.node.length; box++) {
			const node = row.node[box], width = row.width[box];
			const hit = hits !== null && node > 0 && hits[this.tree.frame[node]] === 1;
			context.globalAlpha = above || hits !== null && !hit && node !== 0 ? 0.4 : 1;
			context.fillStyle = hit ? dark.matches ? "#8a5cf0" : "#b89bff" :
			    this.colour(node);
			context.fillRect(row.x[box], y, width > 2 ? width - 1 : width, ROW - 1);
			if (node < 0)
				this.stripes(row.x[box], y, width);
			context.globalAlpha = above ? 0.7 : 1;
			if (width > LABELLED)
				this.label(this.name(node, row.from[box]), node, row.x[box], y, width);
		}
		context.globalAlpha = 1;
	}

	/* A group of small frames is hatched. */
	stripes(x, y, width) {
		const context = this.context;
		context.fillStyle = dark.matches ? "#4b5563" : "#b9c1cc";
		for (let at = x; at < x + width - 2; at += 6)
			context.fillRect(at, y, 2, ROW - 1);
		if (width > 110) {
			context.fillStyle = dark.matches ? "#2a313b" : "#e2e6ec";
			context.fillRect(x + 2, y + 2, Math.min(width - 6, 150), ROW - 5);
		}
	}

	label(text, node, x, y, width) {
		if (node < 0 && width <= 110)
			return;
		const room = width - 8;
		let full = this.widths.get(text);
		if (full === undefined) {
			full = this.context.measureText(text.length > 400 ? text.slice(0, 400) : text)
			    .width;
			this.widths.set(text, full);
		}
		if (full > room) {
			const fit = Math.floor(Math.min(text.length, 400) * room / full * 0.96) - 1;
			if (fit < 2)
				return;
			text = text.slice(0, fit) + "…";
		}
		this.context.fillStyle = dark.matches ? "#eef2f7" : "#14181f";
		this.context.fillText(text, x + 4, y + ROW / 2);
	}
}
