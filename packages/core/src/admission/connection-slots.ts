import { type AllLimits, DEFAULT_PER_PUBLIC_ADDRESS } from '../limits.ts';
import { type ClientAddress, countedAs, isPrivate } from './client-address.ts';

/** Room for one connection; all those of one address share it. */
export interface Slot {
	readonly address: ClientAddress;
	/** How many connections have it. */
	taken: number;
}

/** How many connections there may be, in total and per address; those in their upgrade count, so that they can't overrun it. */
export class ConnectionSlots {
	readonly #limits: AllLimits;
	readonly #perAddress = new Map<ClientAddress, Slot>();
	#total = 0;

	constructor(limits: AllLimits) {
		this.#limits = limits;
	}

	/** Takes room for a connection of that client, to be given back once; or says which limit is in the way. */
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

	giveBack(slot: Slot): void {
		this.#total--;
		slot.taken--;
		if (slot.taken === 0) this.#perAddress.delete(slot.address);
	}

	#limitOf(address: string): number {
		return this.#limits.connectionsPerAddress ?? (isPrivate(address) ? Infinity : DEFAULT_PER_PUBLIC_ADDRESS);
	}
}
