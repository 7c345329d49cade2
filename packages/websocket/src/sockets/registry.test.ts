import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { type RegisteredSocket, Registry } from './registry.ts';

/** The ids of sockets that speak the protocol. */
const SPEAKERS = ['s2', 's3'];

interface Socket extends RegisteredSocket {
	readonly data: { readonly socketId: string; readonly topics: Set<string>; readonly subprotocol?: string };
}

function socketNamed(socketId: string, ...topics: string[]): Socket {
	const subprotocol = SPEAKERS.includes(socketId) ? SUBPROTOCOL : undefined;
	return { data: { socketId, topics: new Set(topics), ...(subprotocol && { subprotocol }) } };
}

describe('the registry', () => {
	it('returns the topics a socket was added with, without subscribing it', () => {
		const registry = new Registry<Socket>();
		const socket = socketNamed('s', 'a', 'b');

		expect(registry.add(socket)).toEqual(['a', 'b']);
		expect(registry.get('s')).toBe(socket);
		expect([...socket.data.topics]).toEqual([]);
		expect(registry.topicCount).toBe(0);
	});

	it('finds the sockets of a user, until they are removed', () => {
		const registry = new Registry<Socket>();
		const [a, b, other, unknown] = ['s1', 's2', 's3', 's4'].map((id) => socketNamed(id)) as [
			Socket,
			Socket,
			Socket,
			Socket,
		];
		for (const socket of [a, b]) Object.assign(socket.data, { userId: '42' });
		Object.assign(other.data, { userId: '7' });
		for (const socket of [a, b, other, unknown]) registry.add(socket);
		expect([...registry.ofUser('42')]).toEqual([a, b]);
		expect([...registry.ofUser('7')]).toEqual([other]);

		registry.remove('s1');
		registry.remove('s1');
		registry.remove('s4');
		expect([...registry.ofUser('42')]).toEqual([b]);
		registry.remove('s2');
		expect([...registry.ofUser('42')]).toEqual([]);
		expect([...registry.ofUser('never')]).toEqual([]);
	});

	it('counts a socket once in a topic that it subscribes to twice', () => {
		const registry = new Registry<Socket>();
		const socket = socketNamed('s');
		registry.add(socket);

		expect(registry.subscribe(socket, 't')).toBe(true);
		expect(registry.subscribe(socket, 't')).toBe(false);
		expect([...registry.members('t')]).toEqual([socket]);
		expect(registry.unsubscribe(socket, 't')).toBe(true);
		expect(registry.unsubscribe(socket, 't')).toBe(false);
		expect(registry.topicCount).toBe(0);
	});

	it('keeps the topics of a removed socket on the socket itself only', () => {
		const registry = new Registry<Socket>();
		const socket = socketNamed('s');
		registry.add(socket);
		registry.subscribe(socket, 't');

		expect(registry.remove('s')).toEqual(['t']);
		expect([...socket.data.topics]).toEqual(['t']);
		expect(registry.get('s')).toBeUndefined();
		expect(registry.memberCount('t')).toBe(0);
	});

	it('behaves like a naive model in any sequence of calls, and ends up empty', () => {
		const ids = ['s0', 's1', 's2', 's3'];
		const topics = ['t0', 't1', 't2'];
		const step = fc.record({
			op: fc.constantFrom('add', 'subscribe', 'subscribe', 'unsubscribe', 'remove'),
			id: fc.constantFrom(...ids),
			topic: fc.constantFrom(...topics),
			initial: fc.uniqueArray(fc.constantFrom(...topics)),
		});

		fc.assert(
			fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
				const registry = new Registry<Socket>();
				const sockets = new Map<string, Socket>();
				const memberships = new Set<string>(); // 'topic socketId'
				const membersOf = (topic: string): string[] => ids.filter((id) => memberships.has(`${topic} ${id}`));
				const remove = (id: string): void => {
					const emptied = topics.filter((topic) => membersOf(topic).join() === id);
					for (const topic of topics) memberships.delete(`${topic} ${id}`);
					sockets.delete(id);
					expect(registry.remove(id).toSorted()).toEqual(emptied);
				};

				for (const { op, id, topic, initial } of steps) {
					const socket = sockets.get(id);
					if (op === 'add' && socket === undefined) {
						const added = socketNamed(id, ...initial);
						sockets.set(id, added);
						expect(registry.add(added)).toEqual(initial);
					} else if (op === 'remove') {
						remove(id);
					} else if (op === 'subscribe' && socket !== undefined) {
						const isNew = !memberships.has(`${topic} ${id}`);
						memberships.add(`${topic} ${id}`);
						expect(registry.subscribe(socket, topic)).toBe(isNew);
					} else if (op === 'unsubscribe' && socket !== undefined) {
						const wasIn = memberships.delete(`${topic} ${id}`);
						expect(registry.unsubscribe(socket, topic)).toBe(wasIn && membersOf(topic).length === 0);
					}

					expect(registry.socketCount).toBe(sockets.size);
					expect([...registry.sockets()].toSorted(byId)).toEqual([...sockets.values()].toSorted(byId));
					const inUse = topics.filter((name) => membersOf(name).length > 0);
					expect(registry.topicCount).toBe(inUse.length);
					expect([...registry.topics()].toSorted()).toEqual(inUse);
					for (const name of topics) {
						expect([...registry.members(name)].map(idOf).toSorted()).toEqual(membersOf(name));
						expect(registry.memberCount(name)).toBe(membersOf(name).length);
						const speakers = membersOf(name).filter((one) => SPEAKERS.includes(one));
						const { hasPlain, spokenName } = registry.names(name);
						expect(hasPlain).toBe(speakers.length < membersOf(name).length);
						expect(spokenName).toBe(speakers.length === 0 ? undefined : `@${name}`);
					}
					for (const [name, known] of sockets) {
						expect(registry.get(name)).toBe(known);
						const own = topics.filter((one) => memberships.has(`${one} ${name}`));
						expect([...known.data.topics].toSorted()).toEqual(own);
					}
				}

				for (const id of ids) remove(id);
				expect([registry.socketCount, registry.topicCount]).toEqual([0, 0]);
			}),
			{ numRuns: 200 },
		);
	});
});

function byId(one: Socket, other: Socket): number {
	return one.data.socketId < other.data.socketId ? -1 : 1;
}

function idOf({ data }: Socket): string {
	return data.socketId;
}
