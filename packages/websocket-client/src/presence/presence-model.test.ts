import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { type MembersChange, type PresenceHandle, type PresenceMember, SocketClient } from '../index.ts';
import { ME, PresenceModelServer, TOPIC } from '../test-support/presence-model-server.ts';
import { randomOf } from '../test-support/random-of.ts';

/** Keeps members by the changes that are reported, and compares them with the members that are known. */
class Ledger {
	readonly #known = new Map<string, PresenceMember>();
	readonly faults: string[] = [];
	calls = 0;

	readonly onChange = ({ joined, left, updated, members, areMembersKnown }: MembersChange): void => {
		this.calls++;
		if (!areMembersKnown) this.#known.clear();
		for (const member of joined) {
			if (this.#known.has(member.key)) this.faults.push(`${member.key} has joined twice`);
			this.#known.set(member.key, member);
		}
		for (const member of updated) {
			if (!this.#known.has(member.key)) this.faults.push(`${member.key} has changed, but had not joined`);
			this.#known.set(member.key, member);
		}
		for (const member of left) {
			const before = this.#known.get(member.key);
			if (JSON.stringify(before) !== JSON.stringify(member)) this.faults.push(`${member.key} has left as it was not`);
			this.#known.delete(member.key);
		}
		const told = [...this.#known.keys()].toSorted().join(' ');
		const known = members.map(({ key }) => key).join(' ');
		if (told !== known) this.faults.push(`told ${told}, but known are ${known}`);
	};
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'x', 'y', 'z'].map((name) => `user:${name}`);
const PHASES = 8;
const STEPS = 40;

async function play(seed: number): Promise<void> {
	const random = randomOf(seed);
	const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
	const server = new PresenceModelServer(random);
	const client = new SocketClient(server.url, { reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
	const failures: unknown[] = [];
	client.onError((error, stage) => stage !== 'connect' && failures.push(error));
	const ledgers: Ledger[] = [];
	const handles: PresenceHandle[] = [];
	const counting: PresenceHandle[] = [];
	const own: Record<string, unknown> = {};
	const updates: Promise<void>[] = [];

	function open(): void {
		const ledger = new Ledger();
		ledgers.push(ledger);
		handles.push(client.presence(TOPIC, { onChange: ledger.onChange }));
	}

	function count(): void {
		counting.push(client.presence(TOPIC, { members: false, onChange: ({ members }) => expect(members).toEqual([]) }));
	}

	function close(list: PresenceHandle[]): void {
		if (handles.length + counting.length > 1) list.pop()?.close();
	}

	const steps: readonly (readonly [weight: number, step: (n: number) => void])[] = [
		[20, (n) => server.set(pick(KEYS), n)],
		[12, () => server.remove(pick(KEYS))],
		[14, () => server.tell()],
		[1, () => server.lose()],
		[3, () => server.cut()],
		[3, () => server.move(false)],
		[5, () => server.move(true)],
		[2, () => server.beginEpoch(false)],
		[1, () => server.beginEpoch(true)],
		[1, () => (server.isStale = !server.isStale)],
		[2, open],
		[2, () => close(handles)],
		[2, count],
		[2, () => close(counting)],
		[
			4,
			(n) => {
				const change = pick([{ n }, { status: n }, { status: undefined }]);
				Object.assign(own, change);
				updates.push(pick([...handles, ...counting]).update(change));
			},
		],
	];
	const bag = steps.flatMap(([weight, step]) => Array.from({ length: weight }, () => step));

	/** Resolves when all is well, and everything that is true is known. */
	async function settle(): Promise<void> {
		server.isStale = false;
		if (server.isCountOnly) server.beginEpoch(false);
		const isKnown = ({ members, isStale }: PresenceHandle): boolean =>
			!isStale && JSON.stringify(members) === JSON.stringify(server.all);
		const isCounted = (handle: PresenceHandle): boolean => !handle.isStale && handle.count === server.members.size;
		await until(
			() => {
				server.move(true);
				server.tell();
				return handles.every(isKnown) && counting.every(isCounted) && server.members.has(ME);
			},
			{ what: () => `${JSON.stringify(handles.map(({ members }) => members))} is ${JSON.stringify(server.all)}` },
		);
		await Promise.all(updates);
	}

	try {
		await client.connect();
		open();
		for (let n = 0; n < PHASES * STEPS; n++) {
			pick(bag)(n);
			if (random(10) < 6) await new Promise((resolve) => setTimeout(resolve, random(8) ? 0 : 3));
			if (n % STEPS === STEPS - 1) await settle();
		}
		// Own info is sent again after each reconnect.
		const info = (): unknown => server.members.get(ME)?.info;
		await until(() => Bun.deepEquals(info(), JSON.parse(JSON.stringify(own))), {
			what: () => `own info is ${JSON.stringify(own)}, not ${JSON.stringify(info())}`,
		});
		for (const { faults } of ledgers) expect(faults).toEqual([]);
		expect(failures).toEqual([]);
		expect(ledgers.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(5);
	} finally {
		await client.close();
		await server.stop();
	}
}

describe('presence, in random order, with connections that are lost', () => {
	it.each(Array.from({ length: 20 }, (_, seed) => seed))('seed %i', play);
});
