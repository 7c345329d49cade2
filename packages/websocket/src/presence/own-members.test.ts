import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HEADER, RULE, socketOf, type TestSocket } from '../test-support/own-presence-fixture.ts';
import { NotPresentError } from './errors.ts';
import type { Member } from './own-member.ts';
import { OwnMembers } from './own-members.ts';
import type { PresenceInfo } from './presence-contract.ts';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

function open(infoBytes = 100) {
	const changes: string[] = [];
	const errors: unknown[] = [];
	const server = new Map<TestSocket | string, PresenceInfo | (() => PresenceInfo)>();
	const members = new OwnMembers({
		ruleOf: (topic) =>
			topic.startsWith('plain') ? undefined : { ...RULE, leaveDelayMs: topic.startsWith('fast') ? 0 : 5_000 },
		describe: (socket) => {
			const info = server.get(socket as TestSocket);
			if (info instanceof Error) throw info;
			return typeof info === 'function' ? info() : info;
		},
		infoBytes,
		onChange: (topic, key) => changes.push(`${topic} ${key}`),
		onDirty: () => {},
		settled: () => Promise.resolve(),
		isReady: () => true,
		onError: (thrown) => errors.push(thrown),
	});
	const join = (socket: TestSocket, topic: string): TestSocket => {
		socket.data.topics.add(topic);
		members.subscribed(socket, topic);
		return socket;
	};
	const leave = (socket: TestSocket, topic: string): void => {
		socket.data.topics.delete(topic);
		members.unsubscribed(socket, topic);
	};
	const infoOf = (topic: string, key: string): unknown => {
		const info = members.get(topic, key)?.info;
		return info === undefined ? undefined : JSON.parse(info);
	};
	const keys = (topic: string): string[] =>
		[...members.of(topic)].map(({ key, connections }) => `${key} ${connections}`);
	return { members, changes, errors, server, join, leave, infoOf, keys };
}

describe('members', () => {
	it('are not those that the application takes out when it is asked for their info', () => {
		const { join, leave, keys, members, server, infoOf } = open();
		const [left, back, gone] = [socketOf(), socketOf('ann'), socketOf()];
		server.set(left, () => {
			leave(left, 'room');
			return { name: 'left' };
		});
		server.set(back, () => {
			server.set(back, { name: 'back' });
			leave(back, 'room');
			join(back, 'room');
			return { name: 'left' };
		});
		server.set(gone, () => {
			members.removed(gone);
			return { name: 'gone' };
		});
		for (const socket of [left, back, gone]) join(socket, 'room');
		expect(keys('room')).toEqual(['user:ann 1']);
		expect(infoOf('room', 'user:ann')).toEqual({ name: 'back' });
	});

	it('are users, with the number of their sockets, and sockets without a user', () => {
		const { join, keys, members, changes } = open();
		const nobody = socketOf();
		join(socketOf('ann'), 'room');
		const second = join(socketOf('ann'), 'room');
		join(nobody, 'room');
		join(second, 'room');
		join(socketOf('bob'), 'plain');
		expect(keys('room')).toEqual(['user:ann 2', `socket:${nobody.data.socketId} 1`]);
		expect(members.get('room', 'user:ann')).toMatchObject({ userId: 'ann', connections: 2, info: undefined });
		expect(keys('plain')).toEqual([]);
		expect(changes).toEqual(['room user:ann', 'room user:ann', `room socket:${nobody.data.socketId}`]);
		expect(HEADER).toHaveLength(16);
	});

	it('leave with their last socket: users after their delay, sockets without a user at once', () => {
		const { join, keys, members, changes } = open();
		const [ann, nobody, fast] = [socketOf('ann'), socketOf(), socketOf('ann')];
		join(ann, 'room');
		join(nobody, 'room');
		join(fast, 'fast');
		changes.length = 0;
		members.removed(ann);
		members.unsubscribed(nobody, 'room');
		members.removed(fast);
		members.removed(fast);
		members.unsubscribed(ann, 'room');
		expect(keys('room')).toEqual(['user:ann 0']);
		expect(keys('fast')).toEqual([]);
		vi.advanceTimersByTime(4_999);
		expect(keys('room')).toEqual(['user:ann 0']);
		vi.advanceTimersByTime(2);
		expect(keys('room')).toEqual([]);
		expect(members.get('room', 'user:ann')).toBeUndefined();
		expect(changes).toEqual(['room user:ann', `room socket:${nobody.data.socketId}`, 'fast user:ann', 'room user:ann']);
		expect([...members.topics()]).toEqual([]);
	});

	it('that come back in time stay the same member, and have a full delay again', () => {
		const { join, keys, members } = open();
		const first = join(socketOf('ann'), 'room');
		const since = members.get('room', 'user:ann')?.sinceAt;
		for (let reload = 0, socket = first; reload < 3; reload++) {
			members.removed(socket);
			vi.advanceTimersByTime(4_000);
			socket = join(socketOf('ann'), 'room');
			vi.advanceTimersByTime(4_000);
		}
		expect(keys('room')).toEqual(['user:ann 1']);
		expect(members.get('room', 'user:ann')?.sinceAt).toBe(since);
	});

	it('have keys that the backend can keep, whatever the id of the user is', () => {
		const { join, keys, members } = open();
		join(socketOf('\ud800ann'), 'room');
		join(socketOf('ann 🙂'), 'room');
		expect(keys('room')).toEqual(['user:\ufffdann 1', 'user:ann 🙂 1']);
		expect(members.merge('room', 'user:\ud800ann', { a: 1 })).toBe(1);
	});

	it('that linger for different times leave in time', () => {
		const { members } = open();
		const delays = [3_000, 1_000, 2_000];
		const mixed = new OwnMembers({
			ruleOf: (topic) => ({ ...RULE, leaveDelayMs: delays[Number(topic)] ?? 0 }),
			describe: () => undefined,
			infoBytes: 100,
			onChange: () => {},
			onDirty: () => {},
			settled: () => Promise.resolve(),
			isReady: () => true,
			onError: () => {},
		});
		const socket = socketOf('ann');
		for (const topic of ['0', '1', '2']) {
			socket.data.topics.add(topic);
			mixed.subscribed(socket, topic);
		}
		mixed.removed(socket);
		const left: number[] = [];
		for (let ms = 500; ms <= 3_500; ms += 500) {
			vi.advanceTimersByTime(500);
			left.push([...mixed.topics()].length);
		}
		expect(left).toEqual([3, 2, 2, 1, 1, 0, 0]);
		expect([...members.topics()]).toEqual([]);
	});
});

describe("a member's info", () => {
	it("consists of the socket's own, the server's and what was changed, of which the later ones win", () => {
		const { join, members, server, infoOf } = open();
		const ann = socketOf('ann');
		server.set(ann, { name: 'Ann' });
		join(ann, 'room');
		expect(infoOf('room', 'user:ann')).toEqual({ name: 'Ann' });
		members.setOwn(ann, 'room', { name: 'Bob', status: 'away' });
		expect(infoOf('room', 'user:ann')).toEqual({ name: 'Ann', status: 'away' });
		expect(members.infoWith(ann, 'room', { typing: true })).toEqual({ name: 'Ann', typing: true });
		expect(members.merge('room', 'user:ann', { status: 'muted', role: 'host' })).toBe(1);
		members.setOwn(ann, 'room', { status: 'here', typing: true });
		expect(infoOf('room', 'user:ann')).toEqual({ name: 'Ann', status: 'muted', role: 'host', typing: true });
		members.merge('room', 'user:ann', { status: undefined });
		expect(infoOf('room', 'user:ann')).toEqual({ name: 'Ann', status: 'here', role: 'host', typing: true });
		expect(members.merge('room', 'user:bob', { a: 1 })).toBe(0);
		expect(members.merge('other', 'user:ann', { a: 1 })).toBe(0);
	});

	it('is that of the socket whose info was set last, of those that are there', () => {
		const { join, members, infoOf, changes } = open();
		const [first, second] = [join(socketOf('ann'), 'room'), join(socketOf('ann'), 'room')];
		members.setOwn(first, 'room', { tab: 1 });
		expect(infoOf('room', 'user:ann')).toEqual({ tab: 1 });
		members.setOwn(second, 'room', { tab: 2 });
		expect(infoOf('room', 'user:ann')).toEqual({ tab: 2 });
		members.unsubscribed(second, 'room');
		expect(infoOf('room', 'user:ann')).toEqual({ tab: 1 });
		members.removed(first);
		expect(infoOf('room', 'user:ann')).toEqual({ tab: 1 });
		const before = changes.length;
		join(first, 'room');
		members.setOwn(first, 'room', { tab: 3 });
		members.setOwn(first, 'room', { tab: 3 });
		expect(changes.length - before).toBe(2);
	});

	it('ends at once with a member that leaves on purpose', () => {
		const { join, members, infoOf } = open();
		const ann = join(socketOf('ann'), 'room');
		members.setOwn(ann, 'room', { tab: 1 });
		members.unsubscribed(ann, 'room');
		expect(members.get('room', 'user:ann')).toBeUndefined();
		join(ann, 'room');
		expect(infoOf('room', 'user:ann')).toBeUndefined();
	});

	it('is asked for again by refresh', () => {
		const { join, members, server, infoOf } = open();
		const ann = join(join(socketOf('ann'), 'room'), 'hall');
		server.set(ann, { name: 'Ann' });
		members.refresh(ann, 'room');
		members.refresh(ann, 'plain');
		expect([infoOf('room', 'user:ann'), infoOf('hall', 'user:ann')]).toEqual([{ name: 'Ann' }, undefined]);
		members.refresh(ann);
		expect(infoOf('hall', 'user:ann')).toEqual({ name: 'Ann' });
	});

	it('that is not allowed is refused, and leaves what was there', () => {
		const { join, members, server, infoOf } = open(50);
		const ann = socketOf('ann');
		server.set(ann, { name: 'Ann' });
		join(ann, 'room');
		members.setOwn(ann, 'room', { a: 1 });
		expect(() => members.setOwn(ann, 'room', { text: 'x'.repeat(30) })).toThrow('at most 50 bytes');
		expect(() => members.merge('room', 'user:ann', { text: 'x'.repeat(30) })).toThrow('at most 50 bytes');
		expect(() => members.setOwn(ann, 'room', [] as never)).toThrow('must be a JSON object');
		expect(() => members.setOwn(ann, 'hall', {})).toThrow(NotPresentError);
		expect(() => members.setOwn(socketOf('ann'), 'room', {})).toThrow(NotPresentError);
		expect(infoOf('room', 'user:ann')).toEqual({ a: 1, name: 'Ann' });
	});

	it('by the server that fails or is too large is logged, and the member is there without it', () => {
		const { join, server, infoOf, keys, errors } = open(50);
		const [ann, bob] = [socketOf('ann'), socketOf('bob')];
		server.set(ann, new Error('no database') as never);
		server.set(bob, { text: 'x'.repeat(60) });
		join(ann, 'room');
		join(bob, 'room');
		expect(keys('room')).toEqual(['user:ann 1', 'user:bob 1']);
		expect([infoOf('room', 'user:ann'), infoOf('room', 'user:bob')]).toEqual([undefined, undefined]);
		expect(errors.map(String)).toEqual(['Error: no database', expect.stringContaining('at most 50 bytes')]);
	});

	it("that has become too large in the background keeps the server's part", () => {
		const { join, members, server, infoOf, errors } = open(50);
		const ann = join(socketOf('ann'), 'room');
		members.setOwn(ann, 'room', { text: 'x'.repeat(20) });
		server.set(ann, { name: 'y'.repeat(20) });
		members.refresh(ann);
		expect(infoOf('room', 'user:ann')).toEqual({ name: 'y'.repeat(20) });
		expect(errors).toHaveLength(1);
	});
});

it('a member that has left is kept as long as the store may have its record', () => {
	const dirty: Member[] = [];
	const members = new OwnMembers({
		ruleOf: () => RULE,
		describe: () => undefined,
		infoBytes: 100,
		onChange: () => {},
		onDirty: (member) => dirty.push(member),
		settled: () => Promise.resolve(),
		isReady: () => true,
		onError: () => {},
	});
	const socket = socketOf();
	members.subscribed(socket, 'room');
	dirty[0]?.sent();
	members.unsubscribed(socket, 'room');
	expect([...members.of('room')]).toEqual([]);
	expect([...members.topics()]).toHaveLength(1);
	dirty[0]?.applied({ kind: 'remove', key: dirty[0].key });
	members.forget(dirty[0] as Member);
	expect([...members.topics()]).toHaveLength(0);
});
