import type { Member } from './own-member.ts';

/**
 * Tells when members have lingered for their time. Time in which the backend is away does not count: a member that has
 * come back on another node may not be stored yet.
 */
export class Lingering {
	readonly #onOver: (member: Member) => void;
	readonly #isReady: () => boolean;
	/** By their delay: those with the same delay are in the order of their times. */
	readonly #byDelay = new Map<number, Set<Member>>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#timerAt = Infinity;

	/** @param isReady returns whether the backend is available */
	constructor(onOver: (member: Member) => void, isReady: () => boolean) {
		this.#onOver = onOver;
		this.#isReady = isReady;
	}

	/** Called when the backend is available again: all members linger for their whole time once more. */
	restart(now: number): void {
		for (const [delayMs, members] of this.#byDelay) {
			for (const member of members) member.lingersUntil = now + delayMs;
		}
	}

	add(member: Member, now: number): void {
		const { leaveDelayMs } = member.topic.rule;
		member.lingersUntil = now + leaveDelayMs;
		const same = this.#byDelay.get(leaveDelayMs);
		if (same === undefined) this.#byDelay.set(leaveDelayMs, new Set([member]));
		else same.add(member);
		this.#wakeAt(member.lingersUntil, now);
	}

	delete(member: Member): void {
		member.lingersUntil = undefined;
		this.#byDelay.get(member.topic.rule.leaveDelayMs)?.delete(member);
	}

	#wakeAt(time: number, now: number): void {
		if (time >= this.#timerAt) return;
		clearTimeout(this.#timer);
		this.#timerAt = time;
		this.#timer = setTimeout(() => this.#wake(), Math.ceil(time - now)).unref();
	}

	#wake(): void {
		const now = performance.now();
		if (!this.#isReady()) this.restart(now);
		this.#timerAt = Infinity;
		let next = Infinity;
		for (const [delayMs, members] of this.#byDelay) {
			for (const member of members) {
				const until = member.lingersUntil ?? now;
				if (until > now) {
					next = Math.min(next, until);
					break;
				}
				this.delete(member);
				this.#onOver(member);
			}
			if (members.size === 0) this.#byDelay.delete(delayMs);
		}
		if (next < Infinity) this.#wakeAt(next, now);
	}
}
