import type { PresenceOp, PresenceStore } from '@orijs/websocket';
import { encodePresenceHeader, randomOrigin } from '@orijs/websocket/internal';

const LEASE_MS = 600_000;
/** The most changes of one step. */
const STEP = 100;

/** Users of a node that has no other purpose: any number of them can be in a topic. */
export class Crowd {
	readonly #store: PresenceStore;
	readonly #lease = { nodeId: crypto.randomUUID(), generation: 1 };
	readonly #header = encodePresenceHeader({ origin: randomOrigin(), shard: 0, incarnation: 1 });
	#registered: Promise<unknown> | undefined;

	constructor(store: PresenceStore) {
		this.#store = store;
	}

	enter(topic: string, users: readonly string[], membersUpTo: number): Promise<void> {
		return this.#apply(topic, users, membersUpTo, (key) => ({
			kind: 'put',
			key,
			connections: 1,
			ageMs: 0,
			info: undefined,
		}));
	}

	leave(topic: string, users: readonly string[], membersUpTo: number): Promise<void> {
		return this.#apply(topic, users, membersUpTo, (key) => ({ kind: 'remove', key }));
	}

	async #apply(
		topic: string,
		users: readonly string[],
		membersUpTo: number,
		op: (key: string) => PresenceOp,
	): Promise<void> {
		await (this.#registered ??= this.#store.renew(this.#lease, LEASE_MS, true));
		for (let at = 0; at < users.length; at += STEP) {
			const ops = users.slice(at, at + STEP).map((user) => op(`user:${user}`));
			await this.#store.apply(topic, { lease: this.#lease, header: this.#header, ops, membersUpTo });
		}
	}
}
