import type { Presence, PresenceChange, PresencePage } from '@orijs/websocket';

const RETRY_MS = 200;
const PAGE = 1_000;

/** Follows a topic as an application does on its server: it reads the members once, and applies the changes. */
export class TopicListener {
	/** Changes that say what was known before: sentences. */
	readonly doubled: string[] = [];
	readonly #keys = new Set<string>();
	readonly #topic: string;
	/** Changes that came before the members were read; undefined once they are. */
	#early: PresenceChange[] | undefined = [];

	constructor(presence: Presence, topic: string) {
		this.#topic = topic;
		presence.onChange(topic, (change) => {
			if (this.#early === undefined) this.#apply(change, true);
			else this.#early.push(change);
		});
		void this.#read(presence);
	}

	get keys(): string[] {
		return [...this.#keys];
	}

	async #read(presence: Presence): Promise<void> {
		let page: PresencePage | undefined;
		while (page === undefined) {
			page = await presence.members(this.#topic, { limit: PAGE }).catch(() => undefined);
			if (page === undefined) await Bun.sleep(RETRY_MS);
		}
		for (const { key } of page.members) this.#keys.add(key);
		for (const change of this.#early ?? []) {
			// The page may have it already.
			const { epoch, n } = change.version;
			if (epoch !== page.version.epoch || n > page.version.n) this.#apply(change, false);
		}
		this.#early = undefined;
	}

	#apply({ joined, left }: PresenceChange, isExact: boolean): void {
		for (const { key } of joined) {
			if (isExact && this.#keys.has(key)) this.doubled.push(`${key} joined ${this.#topic}, who was there`);
			this.#keys.add(key);
		}
		for (const { key } of left) {
			if (isExact && !this.#keys.has(key)) this.doubled.push(`${key} left ${this.#topic}, who was not there`);
			this.#keys.delete(key);
		}
	}
}
