/** A time span in milliseconds since the epoch. */
export interface Span {
	readonly since: number;
	readonly until: number;
}

/** A time span in which messages could not be published. */
export interface UnpublishedSpan extends Span {
	/**
	 * Whether messages on topics with history may be lost as well, so that reading the store does not bring them back.
	 * Default false.
	 */
	readonly stored?: boolean;
	/** Whether this node stored messages on a wrong server. Default false. */
	readonly misled?: boolean;
}

/**
 * The number of channels whose spans are recorded separately. If there are more, they are merged into one span for all
 * channels, so that memory and the number of gap notices stay bounded.
 */
const MAX_CHANNELS = 10_000;

/** The spans in which this node could not publish, by channel. */
export interface UnpublishedSpans {
	readonly channels: ReadonlyMap<string, UnpublishedSpan>;
	/** Set if every channel is affected. */
	readonly everything: UnpublishedSpan | undefined;
}

/** Records to which channels this node could not publish, and when, until gap notices are sent about them. */
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

	/** Records a span in which every channel is affected. */
	addAll(span: UnpublishedSpan): void {
		let all = union(this.#everything, span);
		for (const [channel, each] of this.#channels) {
			// If the merged span does not cover topics with history, a channel's span that does must be kept.
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
	// If the clock was set back, a span can end before it starts.
	const times = [b.since, b.until];
	if (a !== undefined) times.push(a.since, a.until);
	const span = { since: Math.min(...times), until: Math.max(...times) };
	return {
		...span,
		...((a?.stored === true || b.stored === true) && { stored: true }),
		...((a?.misled === true || b.misled === true) && { misled: true }),
	};
}
