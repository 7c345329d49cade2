import { type AllLimits, DEFAULT_PER_PUBLIC_ADDRESS } from '../limits.ts';
import { type ClientAddress, countedAs, isPrivate } from './client-address.ts';

/** A place for one connection; shared by all connections of one address. */
export interface Slot {
	readonly address: ClientAddress;
	/** The number of connections that hold it. */
	taken: number;
}

/**
 * Limits the connections, in total and per address. Connections still in their upgrade count, so that they can't exceed
 * it.
 */
export class ConnectionSlots {
	readonly #limits: AllLimits;
	readonly #perAddress = new Map<ClientAddress, Slot>();
	#total = 0;

	constructor(limits: AllLimits) {
		this.#limits = limits;
	}

	/** Takes a slot for a connection from that address, to be released once; or returns the limit that was reached. */
	take(address: string): Slot | 'connections' | 'connectionsPerAddress' {
		if (this.#total >= this.#limits.connections) return 'connections';
		const counted = countedAs(address);
		let slot = this.#perAddress.get(counted);
		if (slot !== undefined && slot.taken >= this.#limitOf(address)) return 'connectionsPerAddress';
		if (slot === undefined) {
			slot = { address: counted, taken: 0 };
			this.#perAddress.set(counted, slot);
		}
		slot.taken++;
		this.#total++;
		return slot;
	}

	release(slot: Slot): void {
		this.#total--;
		slot.taken--;
		if (slot.taken === 0) this.#perAddress.delete(slot.address);
	}

	#limitOf(address: string): number {
		return this.#limits.connectionsPerAddress ?? (isPrivate(address) ? Infinity : DEFAULT_PER_PUBLIC_ADDRESS);
	}
}
