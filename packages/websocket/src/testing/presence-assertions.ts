import { deepEqual, equal, ok } from 'node:assert/strict';
import { PresenceLeaseLostError } from '../presence/errors.ts';
import { compareKeys } from '../presence/key-order.ts';
import type { PresenceState, StoredMember, StoredPresence } from '../presence/presence-store.ts';
import type { PresenceContent, PresenceFrameChange } from '../wire/presence-frame.ts';

/** A member as others see it. */
type Seen = Pick<StoredMember, 'key' | 'connections' | 'since' | 'info'>;

export function seen({ key, connections, since, info }: Seen): Seen {
	return { key, connections, since, info };
}

/** Returns what a change frame must say if these are two reads, one before and one after it. */
export function differenceOf(before: readonly StoredMember[], after: readonly StoredMember[]): PresenceFrameChange[] {
	const then = new Map(before.map((member) => [member.key, seen(member)]));
	const now = new Map(after.map((member) => [member.key, seen(member)]));
	const changes: PresenceFrameChange[] = [];
	for (const [key, member] of now) {
		const earlier = then.get(key);
		if (earlier === undefined) changes.push({ kind: 'joined', ...member });
		else if (!isSame(earlier, member)) changes.push({ kind: 'updated', ...member });
	}
	for (const [key, member] of then) if (!now.has(key)) changes.push({ kind: 'left', ...member });
	return byKey(changes);
}

function isSame(a: Seen, b: Seen): boolean {
	return a.connections === b.connections && a.since === b.since && a.info === b.info;
}

export function byKey(changes: readonly PresenceFrameChange[] | undefined): PresenceFrameChange[] {
	ok(changes, 'the change must name the members');
	return changes.toSorted((a, b) => compareKeys(a.key, b.key));
}

/** Returns what a change says, without when members came: `joined a 1`. */
export function summary({ changes }: Pick<PresenceContent, 'changes'>): string[] | undefined {
	return changes?.map(({ kind, key, connections }) => `${kind} ${key} ${connections}`).toSorted();
}

/** Asserts that changes are all those since the first one, each once, and that they lead to what was read. */
export function assertLeadTo(changes: readonly PresenceContent[], read: StoredPresence): void {
	const members = new Map<string, Seen>();
	for (const [i, change] of changes.entries()) {
		equal(change.epoch, read.version?.epoch);
		equal(change.n, i + 1, 'versions must be 1, 2, 3 and so on');
		for (const { kind, ...member } of change.changes ?? []) {
			equal(members.has(member.key), kind !== 'joined', `${kind} ${member.key} in version ${change.n}`);
			if (kind === 'left') {
				deepEqual(seen(member), members.get(member.key), 'who left must be as before');
				members.delete(member.key);
			} else members.set(member.key, seen(member));
		}
		equal(change.count, members.size, `the count of version ${change.n}`);
	}
	deepEqual(
		[...members.values()].toSorted((a, b) => compareKeys(a.key, b.key)),
		read.members.map(seen),
	);
	equal(read.count, members.size);
	equal(read.version?.n ?? 0, changes.length);
}

export function assertState(state: PresenceState, n: number, count: number): void {
	deepEqual([state.version?.n, state.count], [n, count]);
}

/** Asserts that a step was refused because its lease is lost. */
export async function assertLeaseLost(step: Promise<unknown>): Promise<void> {
	const error: unknown = await step.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	ok(
		error instanceof PresenceLeaseLostError,
		`the step must reject with a PresenceLeaseLostError, not ${String(error)}`,
	);
}
