import { type AllLimits, DEFAULT_PER_PUBLIC_ADDRESS } from '../limits.ts';
import { countedAs, isPrivate } from './client-address.ts';

/** Room for one connection; given back once. */
export interface Slot {
	/** Idempotent. */
	release(): void;
}

/** How many connections there may be, in total and per address; those in their upgrade count, so that they can't overrun it. */
export class ConnectionSlots {
	readonly #limits: AllLimits;
	readonly #perAddress = new Map<string, number>();
	#total = 0;

	constructor(limits: AllLimits) {
		this.#limits = limits;
	}

	/** Takes room for a connection of that client, or says which limit is in the way. */
	take(address: string): Slot | 'connections' | 'connectionsPerAddress' {
		if (this.#total >= this.#limits.connections) return 'connections';
		const counted = countedAs(address);
		const taken = this.#perAddress.get(counted) ?? 0;
		if (taken >= this.#limitOf(address)) return 'connectionsPerAddress';
		this.#total++;
		this.#perAddress.set(counted, taken + 1);
		return new TakenSlot(this, counted);
	}

	/** For {@link Slot.release} only. */
	giveBack(counted: string): void {
		this.#total--;
		const left = (this.#perAddress.get(counted) ?? 1) - 1;
		if (left === 0) this.#perAddress.delete(counted);
		else this.#perAddress.set(counted, left);
	}

	#limitOf(address: string): number {
		return this.#limits.connectionsPerAddress ?? (isPrivate(address) ? Infinity : DEFAULT_PER_PUBLIC_ADDRESS);
	}
}

class TakenSlot implements Slot {
	#slots: ConnectionSlots | undefined;
	readonly #counted: string;

	constructor(slots: ConnectionSlots, counted: string) {
		this.#slots = slots;
		this.#counted = counted;
	}

	release(): void {
		this.#slots?.giveBack(this.#counted);
		this.#slots = undefined;
	}
}
