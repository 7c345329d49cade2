import { type AllLimits, DEFAULT_PER_PUBLIC_ADDRESS } from '../limits.ts';
import { type ClientAddress, countedAs, isPrivate } from './client-address.ts';

/** The slot of one address, held by each of its connections. */
export interface Slot {
	readonly address: ClientAddress;
	/** The number of connections that hold the slot. */
	taken: number;
}

/**
 * Limits the number of connections, in total and per address. Connections that are still being upgraded count too;
 * otherwise concurrent upgrades could exceed the limits.
 */
export class ConnectionSlots {
	readonly #limits: AllLimits;
	readonly #perAddress = new Map<ClientAddress, Slot>();
	#total = 0;

	constructor(limits: AllLimits) {
		this.#limits = limits;
	}

	/**
	 * Takes the slot of an address for one more connection, which must release it once. If a limit is reached, returns
	 * its name instead.
	 */
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
