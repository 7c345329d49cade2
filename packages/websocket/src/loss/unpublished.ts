/** A time span in milliseconds since the epoch. */
export interface Span {
	readonly since: number;
	readonly until: number;
}

/** When messages could not be published. */
export interface UnpublishedSpan extends Span {
	/** Whether stored messages are affected as well, so that they can't be read again. Default false. */
	readonly stored?: boolean;
}

/** Above this number of channels they are folded into one span for all, so that memory and gap notices stay bounded. */
const MAX_CHANNELS = 10_000;

/** What this node could not publish. */
export interface UnpublishedSpans {
	readonly channels: ReadonlyMap<string, UnpublishedSpan>;
	/** Set where every channel is affected. */
	readonly everything: UnpublishedSpan | undefined;
}

/** Records which channels this node could not publish to, and when, until the other nodes have been told. */
export class Unpublished {
	#channels = new Map<string, UnpublishedSpan>();
	#everything: UnpublishedSpan | undefined;

	add(channel: string, span: UnpublishedSpan): void {
		if (this.#everything !== undefined && span.stored !== true) {
			this.#everything = union(this.#everything, span);
		} else if (this.#channels.size < MAX_CHANNELS || this.#channels.has(channel)) {
			this.#channels.set(channel, union(this.#channels.get(channel), span));
		} else {
			this.addAll(span);
		}
	}

	/** Every channel is affected. */
	addAll(span: UnpublishedSpan): void {
		let all = union(this.#everything, span);
		for (const [channel, each] of this.#channels) {
			// A span that says nothing of stored messages does not replace one that does.
			if (each.stored === true && all.stored !== true) continue;
			all = union(all, each);
			this.#channels.delete(channel);
		}
		this.#everything = all;
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

function union(a: UnpublishedSpan | undefined, b: UnpublishedSpan): UnpublishedSpan {
	// A clock that was set back makes a span end before it begins.
	const times = [b.since, b.until];
	if (a !== undefined) times.push(a.since, a.until);
	const span = { since: Math.min(...times), until: Math.max(...times) };
	return a?.stored === true || b.stored === true ? { ...span, stored: true } : span;
}
