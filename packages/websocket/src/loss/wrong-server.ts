import type { Histories } from '../history/histories.ts';
import { settledWithin } from '../support/promises.ts';
import { monotonicTime } from '../support/wall-time.ts';
import type { MissingMessages } from './missing-messages.ts';
import type { PublishFailures } from './publish-failures.ts';

export interface WrongServerOptions {
	readonly histories: Histories | undefined;
	readonly missing: MissingMessages;
	readonly failures: PublishFailures;
}

/** Reports what this node may have published to another server than the one that the other nodes use. */
export class WrongServer {
	readonly #options: WrongServerOptions;
	/** Pending while this node looks for what it appended before it came to another server. */
	readonly #searches = new Set<Promise<void>>();

	constructor(options: WrongServerOptions) {
		this.#options = options;
	}

	/** See {@link BusHandlers.undelivered}. */
	undelivered(trusted: number): void {
		const { missing, histories } = this.#options;
		const at = missing.misledSince(trusted);
		this.#report(at, histories?.appendedSince(at) ?? []);
	}

	/**
	 * See {@link BusHandlers.replaced}. What this node appended to topics with history is looked for on the server that
	 * it has come to. For other topics, the other nodes notice that beats of this one are missing.
	 */
	replaced(lostAt: number): void {
		const { histories, missing } = this.#options;
		if (histories === undefined) return;
		const misledAt = missing.misledSince(lostAt);
		const searching = histories.searchAppends(monotonicTime(lostAt)).then(({ missing: lost, provenAt }) => {
			this.#searches.delete(searching);
			if (lost.length === 0) return;
			const at = Math.max(misledAt, provenAt);
			// If some are missing, so may be those that this node no longer remembers.
			this.#report(at, histories.appendedSince(at) === 'all' ? 'all' : lost);
		});
		this.#searches.add(searching);
	}

	/** Resolves once all searches have ended, or after a time in milliseconds. */
	async searched(timeoutMs: number): Promise<void> {
		await settledWithin(timeoutMs, Promise.all(this.#searches));
	}

	/**
	 * @param at since when, by the monotonic clock
	 * @param stored the topics with history that this node appended to
	 */
	#report(at: number, stored: readonly string[] | 'all'): void {
		const { missing, failures } = this.#options;
		const span = missing.ownSpanSince(at);
		failures.undelivered(span, stored);
		missing.storedElsewhere(stored, span);
	}
}
