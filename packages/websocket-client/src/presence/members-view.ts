import { type PresenceMember, validateWith } from '@orijs/websocket/protocol';
import { mustBe } from '../options.ts';
import { quiet } from '../support/promises.ts';
import type { MembersChange, PresenceOptions } from './presence.ts';

/** How a handle sees the members of its topic, which are the same for all its handles. */
export type MembersView = (change: MembersChange) => MembersChange;

type List = readonly PresenceMember[];

/** @param failed called the first time that info does not match `schema` */
export function viewFor(
	topic: string,
	{ members, schema }: PresenceOptions,
	failed: (thrown: unknown) => void,
): MembersView | undefined {
	if (members === false) return (change) => ({ ...withLists(change, () => []), areMembersKnown: false });
	if (!schema) return undefined;
	let hasFailed = false;
	const checked = (member: PresenceMember): PresenceMember => {
		let info;
		try {
			info = member.info && (validateWith(`@presence ${topic}`, schema, member.info) as PresenceMember['info']);
			if (info instanceof Promise) {
				void quiet(info);
				mustBe(false, 'presence.schema', 'synchronous', schema);
			}
		} catch (thrown) {
			info = undefined;
			if (!hasFailed) failed(thrown);
			hasFailed = true;
		}
		return { ...member, info };
	};
	const seen = new WeakMap<object, unknown>();
	/** Makes something of an object only once, so that what has not changed remains the same object. */
	const once = <T extends object>(of: T, make: (of: T) => T): T => {
		if (!seen.has(of)) seen.set(of, make(of));
		return seen.get(of) as T;
	};
	return (change) => withLists(change, (list) => once(list, () => list.map((member) => once(member, checked))));
}

function withLists(change: MembersChange, of: (list: List) => List): MembersChange {
	const { members, joined, left, updated } = change;
	return { ...change, members: of(members), joined: of(joined), left: of(left), updated: of(updated) };
}
