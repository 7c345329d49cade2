import { now } from '../clock.ts';
import type { PresenceWork, SubjectRequest } from './requests.ts';
import type { Subject, SubjectPresence } from './subject.ts';
import { sleep, turn } from './turns.ts';

/** How many calls are pending at most. */
const AT_ONCE = 1_000;

export function presenceOf({ presence }: Subject): SubjectPresence {
	if (presence === undefined) throw new Error('This subject keeps no presence');
	return presence;
}

export async function joinOrLeave(
	presence: SubjectPresence,
	work: PresenceWork & { readonly do: 'join' | 'leave' },
): Promise<void> {
	const { from, clients, topics, all = false, perSecond = Infinity } = work;
	const startedAt = now();
	let pending: unknown[] = [];
	let moved = 0;
	for (let client = from; client < from + clients; client++) {
		for (const topic of all ? topics : [topics[client % topics.length] as string]) {
			pending.push(presence[work.do](client, topic));
			moved++;
			if (pending.length >= AT_ONCE) {
				await Promise.all(pending);
				pending = [];
			}
			const earlyMs = (startedAt + (moved / perSecond) * 1e9 - now()) / 1e6;
			if (earlyMs > 0) await (earlyMs > 2 ? sleep(earlyMs - 1.5) : turn());
		}
	}
	await Promise.all(pending);
}

export async function watch(
	presence: SubjectPresence,
	{ clients, topic }: SubjectRequest & { readonly do: 'watch' },
): Promise<void> {
	await Promise.all(Array.from({ length: clients }, (_, client) => presence.watch(client, topic)));
}

/** Returns the number of members of all topics together. */
export async function countMembers(presence: SubjectPresence, topics: readonly string[]): Promise<number> {
	let sum = 0;
	for (let at = 0; at < topics.length; at += AT_ONCE) {
		const counts = await Promise.all(topics.slice(at, at + AT_ONCE).map((topic) => presence.count(topic)));
		for (const count of counts) sum += count;
	}
	return sum;
}
