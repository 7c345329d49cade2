/** A time span in milliseconds since the epoch. */
export interface Span {
	readonly since: number;
	readonly until: number;
}

/** Above this number of channels they are folded into one span for all, so that memory and gap notices stay bounded. */
const MAX_CHANNELS = 10_000;

/** What this node could not publish. */
export interface UnpublishedSpans {
	readonly channels: ReadonlyMap<string, Span>;
	/** Set where every channel is affected. */
	readonly everything: Span | undefined;
}

/** Records which channels this node could not publish to, and when, until the other nodes have been told. */
export class Unpublished {
	#channels = new Map<string, Span>();
	#everything: Span | undefined;

	add(channel: string, span: Span): void {
		if (this.#everything !== undefined) {
			this.#everything = union(this.#everything, span);
		} else if (this.#channels.size < MAX_CHANNELS || this.#channels.has(channel)) {
			this.#channels.set(channel, union(this.#channels.get(channel), span));
		} else {
			this.addAll(span);
		}
	}

	/** Every channel is affected. */
	addAll(span: Span): void {
		let all = union(this.#everything, span);
		for (const each of this.#channels.values()) all = union(all, each);
		this.#everything = all;
		this.#channels.clear();
	}

	get isEmpty(): boolean {
		return this.#everything === undefined && this.#channels.size === 0;
	}

	/** Removes and returns everything recorded so far. */
	take(): UnpublishedSpans {
		const taken = { channels: this.#channels, everything: this.#everything };
		this.#channels = new Map();
		this.#everything = undefined;
		return taken;
	}
}

function union(a: Span | undefined, b: Span): Span {
	return a === undefined ? b : { since: Math.min(a.since, b.since), until: Math.max(a.until, b.until) };
}
