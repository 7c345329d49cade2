/** A time span in milliseconds since the epoch. */
export interface Span {
	readonly since: number;
	readonly until: number;
}

/** Above this many channels, all of them are concerned: memory stays bounded, and so does what is announced. */
const MOST_CHANNELS = 10_000;

/** What this node could not publish, until it has told the others: on which channels, from when to when. */
export class Unpublished {
	#channels = new Map<string, Span>();
	#everything: Span | undefined;

	note(channel: string, span: Span): void {
		if (this.#everything !== undefined) {
			this.#everything = join(this.#everything, span);
		} else if (this.#channels.size < MOST_CHANNELS || this.#channels.has(channel)) {
			this.#channels.set(channel, join(this.#channels.get(channel), span));
		} else {
			this.noteAll(span);
		}
	}

	noteAll(span: Span): void {
		let all = join(this.#everything, span);
		for (const each of this.#channels.values()) all = join(all, each);
		this.#everything = all;
		this.#channels.clear();
	}

	get isEmpty(): boolean {
		return this.#everything === undefined && this.#channels.size === 0;
	}

	/** Hands over what there is, which is then no more here. */
	take(): { readonly channels: ReadonlyMap<string, Span>; readonly everything: Span | undefined } {
		const taken = { channels: this.#channels, everything: this.#everything };
		this.#channels = new Map();
		this.#everything = undefined;
		return taken;
	}
}

function join(a: Span | undefined, b: Span): Span {
	return a === undefined ? b : { since: Math.min(a.since, b.since), until: Math.max(a.until, b.until) };
}
