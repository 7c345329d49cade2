import { type AllLimits, DEFAULT_PER_PUBLIC_ADDRESS } from '../limits.ts';
import { Deadlines } from '../support/deadlines.ts';
import { type ClientAddress, countedAs, isPrivate } from './client-address.ts';

/** How long Bun keeps what was queued for a client that has stopped reading when it was closed, in milliseconds. */
const LINGER_MS = 16_000;

/** The slot of one address, shared by all connections from that address. */
export interface Slot {
	readonly address: ClientAddress;
	/** The number of connections that the address may have. */
	readonly limit: number;
	/** The number of connections that hold the slot. */
	taken: number;
	/** The number of connections that have ended, but whose messages are still being handled. */
	finishing: number;
}

/** The name of the limit because of which there is no slot. */
export type ReachedLimit = 'connections' | 'connectionsPerAddress';

/**
 * Limits the number of connections, in total and per address. Connections that are still being upgraded count too;
 * otherwise concurrent upgrades could exceed the limits.
 */
export class ConnectionSlots {
	readonly #limits: AllLimits;
	readonly #perAddress = new Map<ClientAddress, Slot>();
	readonly #lingering: Deadlines<{ readonly slot: Slot }>;
	#total = 0;
	#finishing = 0;

	constructor(limits: AllLimits, lingerMs: number = LINGER_MS) {
		this.#limits = limits;
		this.#lingering = new Deadlines(lingerMs, ({ slot }) => this.release(slot));
	}

	/**
	 * Takes the slot of an address for one more connection. The caller must release it exactly once, when the connection
	 * ends. If a limit is reached, returns the name of that limit instead.
	 */
	take(address: string): Slot | ReachedLimit {
		const counted = countedAs(address);
		let slot = this.#perAddress.get(counted);
		const reached = this.#reached(slot);
		if (reached !== undefined) return reached;
		if (slot === undefined) {
			slot = { address: counted, limit: this.#limitOf(address), taken: 0, finishing: 0 };
			this.#perAddress.set(counted, slot);
		}
		slot.taken++;
		this.#total++;
		return slot;
	}

	/** Returns the limit that leaves no slot for a connection from an address; undefined if there is one. */
	reached(address: string): ReachedLimit | undefined {
		return this.#reached(this.#perAddress.get(countedAs(address)));
	}

	#reached(slot: Slot | undefined): ReachedLimit | undefined {
		if (this.#total >= this.#limits.connections) return 'connections';
		return slot !== undefined && slot.taken >= slot.limit ? 'connectionsPerAddress' : undefined;
	}

	release(slot: Slot): void {
		this.#total--;
		slot.taken--;
		this.#forgetIfUnused(slot);
	}

	/**
	 * Releases the slot of a connection that was closed while messages were waiting to be sent, but only once they can
	 * no longer be in memory. Otherwise, clients that never read could connect and be closed any number of times.
	 */
	releaseLater(slot: Slot): void {
		this.#lingering.add({ slot });
	}

	/**
	 * Counts a connection that has ended but keeps its slot until its messages are handled; {@link finished} must be
	 * called then. Without this limit, clients that connect, send and leave could queue any number of messages. Returns
	 * false if there are more such connections than may be open, in total or from this address.
	 */
	finishLater(slot: Slot): boolean {
		this.#finishing++;
		slot.finishing++;
		return this.#finishing <= this.#limits.connections && slot.finishing <= slot.limit;
	}

	/** Called when all messages of an ended connection are handled. */
	finished(slot: Slot): void {
		this.#finishing--;
		slot.finishing--;
		this.#forgetIfUnused(slot);
	}

	#forgetIfUnused(slot: Slot): void {
		if (slot.taken === 0 && slot.finishing === 0) this.#perAddress.delete(slot.address);
	}

	#limitOf(address: string): number {
		return this.#limits.connectionsPerAddress ?? (isPrivate(address) ? Infinity : DEFAULT_PER_PUBLIC_ADDRESS);
	}
}
