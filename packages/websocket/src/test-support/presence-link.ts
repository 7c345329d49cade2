import {
	APPLIED_WITHIN_MS,
	type PresenceBatch,
	type PresenceLease,
	type PresenceState,
	type PresenceStore,
	type Renewal,
} from '../presence/presence-store.ts';

/**
 * What becomes of a call: it is answered; it fails; it takes effect, but the answer is lost; or it fails and takes
 * effect later, unless a later call for the topic comes first.
 */
export type Fate = 'answered' | 'failed' | 'answer lost' | 'late';

/** How late a call can take effect after it has failed, in milliseconds. */
const LATE_MS = 1_000;
const LATENCY_MS = 2;

/** One node's link to a store that it shares with other nodes. */
export class PresenceLink implements PresenceStore {
	readonly batches: { readonly topic: string; readonly batch: PresenceBatch }[] = [];
	readonly renewals: { readonly lease: PresenceLease; readonly isNew: boolean; readonly at: number }[] = [];
	readonly swept: PresenceLease[] = [];
	readonly released: { readonly lease: PresenceLease; readonly afterMs: number }[] = [];
	/** Decides what becomes of each call. */
	fate: (call: 'apply' | 'renew' | 'sweep' | 'release') => Fate = () => 'answered';
	/** How many calls for topics are on their way, and how many were at most. */
	inFlight = 0;
	mostInFlight = 0;
	readonly #store: PresenceStore;
	readonly #late = new Map<string, () => void>();
	#frozen: PromiseWithResolvers<void> | undefined;
	#isDead = false;
	#onLost: ((isAffected: (topic: string) => boolean) => void) | undefined;

	constructor(store: PresenceStore) {
		this.#store = store;
	}

	/** From now on, calls wait until `thaw`. */
	freeze(): void {
		this.#frozen ??= Promise.withResolvers();
	}

	thaw(): void {
		this.#frozen?.resolve();
		this.#frozen = undefined;
	}

	async #thawed(): Promise<void> {
		for (let frozen = this.#frozen; frozen !== undefined; frozen = this.#frozen) await frozen.promise;
	}

	/** From now on, no call takes effect or is answered. */
	kill(): void {
		this.#isDead = true;
	}

	/** Tells the node that records may be lost. */
	lose(isAffected: (topic: string) => boolean = () => true): void {
		this.#onLost?.(isAffected);
	}

	async apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
		this.batches.push({ topic, batch });
		this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
		try {
			return await this.#call('apply', topic, () => this.#store.apply(topic, batch));
		} finally {
			this.inFlight--;
		}
	}

	renew(lease: PresenceLease, leaseMs: number, isNew: boolean): Promise<Renewal> {
		this.renewals.push({ lease, isNew, at: performance.now() });
		return this.#call('renew', undefined, () => this.#store.renew(lease, leaseMs, isNew));
	}

	sweep: PresenceStore['sweep'] = (lease, options) => {
		this.swept.push(lease);
		return this.#call('sweep', undefined, () => this.#store.sweep(lease, options));
	};

	release(lease: PresenceLease, afterMs: number): Promise<void> {
		this.released.push({ lease, afterMs });
		return this.#call('release', undefined, () => this.#store.release(lease, afterMs));
	}

	prepare: PresenceStore['prepare'] = () => this.#store.prepare();
	read: PresenceStore['read'] = (...call) => this.#store.read(...call);
	count: PresenceStore['count'] = (...call) => this.#store.count(...call);

	onLost(listener: (isAffected: (topic: string) => boolean) => void): void {
		this.#onLost = listener;
	}

	async #call<T>(
		name: 'apply' | 'renew' | 'sweep' | 'release',
		topic: string | undefined,
		act: () => Promise<T>,
	): Promise<T> {
		const fate = this.fate(name);
		const calledAt = performance.now();
		await pass(LATENCY_MS);
		await this.#thawed();
		if (this.#isDead) return new Promise<T>(() => {});
		if (topic !== undefined) {
			if (performance.now() - calledAt > APPLIED_WITHIN_MS) throw new Error(`the call of ${name} came too late`);
			this.#late.delete(topic);
		}
		if (fate === 'answered') {
			const answer = await act();
			await pass(LATENCY_MS);
			await this.#thawed();
			return answer;
		}
		if (fate === 'answer lost') await act().catch(() => {});
		if (fate === 'late' && topic !== undefined) {
			this.#late.set(topic, () => void act().catch(() => {}));
			setTimeout(() => {
				if (!this.#isDead) this.#late.get(topic)?.();
				this.#late.delete(topic);
			}, LATE_MS);
		}
		throw new Error(`the call of ${name} was to be ${fate}`);
	}
}

function pass(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
