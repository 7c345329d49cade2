import { type PresenceMember, validateWith } from '@orijs/websocket/protocol';
import { InvalidClientOptionError } from '../errors.ts';
import { quiet } from '../support/promises.ts';
import type { MembersChange, PresenceInfo, PresenceOptions } from './presence.ts';

/** How a handle sees the members of its topic, which is the same for all its handles. */
export type MembersView = (change: MembersChange) => MembersChange;

/** Sees only the count. */
function onlyCount(change: MembersChange): MembersChange {
	return { ...change, members: [], joined: [], left: [], updated: [], areMembersKnown: false };
}

/** @param failed called the first time that an info does not match the schema */
function checkedInfo(
	name: string,
	schema: NonNullable<PresenceOptions['schema']>,
	failed: (thrown: unknown) => void,
): MembersView {
	let hasFailed = false;
	const check = (info: PresenceInfo): PresenceInfo | undefined => {
		try {
			const checked = validateWith(name, schema, info);
			if (!(checked instanceof Promise)) return checked as PresenceInfo;
			void quiet(checked);
			throw new InvalidClientOptionError('presence.schema must be synchronous');
		} catch (thrown) {
			if (!hasFailed) failed(thrown);
			hasFailed = true;
			return undefined;
		}
	};
	const seen = new WeakMap<object, unknown>();
	/** Makes something of an object only once, so that what has not changed remains the same object. */
	const once = <T extends object>(of: T, make: (of: T) => T): T => {
		if (!seen.has(of)) seen.set(of, make(of));
		return seen.get(of) as T;
	};
	const member = (one: PresenceMember): PresenceMember =>
		once(one, () => (one.info ? { ...one, info: check(one.info) } : one));
	const list = (all: readonly PresenceMember[]): readonly PresenceMember[] => once(all, () => all.map(member));
	return ({ members, joined, left, updated, ...change }) => ({
		...change,
		members: list(members),
		joined: list(joined),
		left: list(left),
		updated: list(updated),
	});
}

/** @param failed called the first time that an info does not match `schema` */
export function viewFor(
	topic: string,
	{ members, schema }: PresenceOptions,
	failed: (thrown: unknown) => void,
): MembersView | undefined {
	if (members === false) return onlyCount;
	return schema && checkedInfo(`@presence ${topic}`, schema, failed);
}
