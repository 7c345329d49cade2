import type { PresenceNotice } from '../protocol/presence.ts';
import type { PresenceChange, PresencePage } from './presence-contract.ts';

/** What those who watch only the count of a topic were told last. */
type Told = Pick<PresencePage, 'version' | 'count' | 'isStale'>;

/** Says what is new to the sockets that watch only the count of topics: nothing, if only members have changed. */
export class CountNotices {
	readonly #told = new Map<string, Told>();

	/** Called when a socket has been answered with the count. What others were told last is the same. */
	begin(topic: string, { version, count, isStale }: Told): void {
		if (!this.#told.has(topic)) this.#told.set(topic, { version, count, isStale });
	}

	/** Called when no socket watches only the count of the topic any longer. */
	end(topic: string): void {
		this.#told.delete(topic);
	}

	/** Returns what to tell after a change; undefined if that is nothing. */
	next({ topic, version, count, isStale }: PresenceChange): PresenceNotice | undefined {
		const told = this.#told.get(topic);
		if (told === undefined) return undefined;
		const { epoch } = told.version;
		if (count === told.count && isStale === told.isStale && epoch === version.epoch) return undefined;
		this.#told.set(topic, { version, count, isStale });
		// It follows each version of that epoch, because it does not depend on what was told before.
		const previous = { epoch, n: 0 };
		return { topic, version, previous, count, isCountOnly: true, isStale: isStale ? true : undefined };
	}
}
