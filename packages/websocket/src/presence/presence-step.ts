import type { Member } from './own-member.ts';
import { MAX_PRESENCE_OPS, type PresenceOp } from './presence-store.ts';
import type { TopicChanges } from './topic-changes.ts';

/** A change on its way to the store. */
interface Sent {
	readonly member: Member;
	readonly op: PresenceOp;
}

export interface PresenceStepOptions {
	/** Whether this node is leaving: its members with sockets are to linger. */
	readonly isLeaving: boolean;
	/** Called when a member's record is as it is to be. */
	onStored(member: Member): void;
}

/** The oldest changes of a topic, as many as the store takes at a time. */
export class PresenceStep {
	readonly #changes: TopicChanges<Member>;
	readonly #options: PresenceStepOptions;
	readonly #sent: Sent[] = [];
	/** How many members were taken that are stored as they are. */
	#unneeded = 0;
	readonly #losses: number;

	constructor(changes: TopicChanges<Member>, options: PresenceStepOptions) {
		this.#changes = changes;
		this.#options = options;
		this.#losses = changes.losses;
		this.#take(performance.now());
	}

	#take(now: number): void {
		const { isLeaving, onStored } = this.#options;
		for (const member of this.#changes.take()) {
			const op = member.opAt(now, isLeaving);
			if (op === undefined) {
				this.#unneeded++;
				onStored(member);
				continue;
			}
			this.#sent.push({ member, op });
			member.sent();
			if (this.#sent.length === MAX_PRESENCE_OPS) return;
		}
	}

	/** What is to be sent; nothing if all members are stored as they are. */
	get ops(): PresenceOp[] {
		return this.#sent.map(({ op }) => op);
	}

	/** Called when the store has applied it. */
	applied(): void {
		const { onStored } = this.#options;
		// What was lost meanwhile is dirty, and not known to be there.
		if (this.#losses === this.#changes.losses) {
			for (const { member, op } of this.#sent) {
				member.applied(op);
				// Who lingers already was put so that others know it.
				if (op.kind === 'put' && member.connections === 0) this.#changes.add(member);
				if (!this.#changes.has(member)) onStored(member);
			}
		}
		this.#changes.done(this.#unneeded + this.#sent.length);
	}

	/** Called when it has failed, or may have. */
	failed(): void {
		this.#changes.failed(this.#sent.map(({ member }) => member));
	}
}
