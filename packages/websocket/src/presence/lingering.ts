import type { Member } from './own-member.ts';

/** Tells when members have lingered for their time. */
export class Lingering {
	readonly #onOver: (member: Member) => void;
	/** By their delay: those with the same delay are in the order of their times. */
	readonly #byDelay = new Map<number, Set<Member>>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#timerAt = Infinity;

	constructor(onOver: (member: Member) => void) {
		this.#onOver = onOver;
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
