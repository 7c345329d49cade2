import { describe, expect, it } from 'vitest';
import { MemoryBackend } from './testing/index.ts';
import type { Payload } from './index.ts';
import { messagesOf, openNode, type TestNode } from './test-support/test-node.ts';

const bytes = (): Uint8Array<ArrayBuffer> => new Uint8Array([0, 1, 2, 253, 254, 255, 10, 13]);

/** Payloads, and the value that must arrive: a string as a text frame, bytes as a binary frame. */
const payloads: readonly [string, Payload, string | Uint8Array][] = [
	['a string', 'text', 'text'],
	['an empty string', '', ''],
	['any unicode', 'é 漢 🙂 \ufeff \0', 'é 漢 🙂 \ufeff \0'],
	['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
	['an ArrayBuffer', bytes().buffer, bytes()],
	['an empty ArrayBuffer', new ArrayBuffer(0), new Uint8Array()],
	['a Uint8Array', bytes(), bytes()],
	['an empty Uint8Array', bytes().subarray(3, 3), new Uint8Array()],
	['a part of a larger buffer', bytes().subarray(2, 5), bytes().slice(2, 5)],
	['a Float32Array', new Float32Array([1.5, -2]), new Uint8Array([0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0])],
	['a Uint16Array with an offset', new Uint16Array(bytes().buffer, 2, 2), bytes().slice(2, 6)],
	['a DataView', new DataView(bytes().buffer, 3, 4), bytes().slice(3, 7)],
	['a Buffer', Buffer.from('buffer'), new TextEncoder().encode('buffer')],
	['a view of shared memory', new Uint8Array(new SharedArrayBuffer(3)), new Uint8Array(3)],
	['bytes that look like text', Buffer.from('text'), new TextEncoder().encode('text')],
	['70 KiB', new Uint8Array(70 * 1024).fill(7), new Uint8Array(70 * 1024).fill(7)],
];

const ways: Record<string, (from: TestNode, socketId: string, payload: Payload) => Promise<void>> = {
	publish: ({ provider }, _, payload) => provider.publish('t', payload),
	send: ({ provider }, socketId, payload) => provider.send(socketId, payload),
	broadcast: ({ provider }, _, payload) => provider.broadcast(payload),
};

/** The routes from a publisher to a socket. */
const places: Record<string, () => Promise<[from: TestNode, to: TestNode]>> = {
	async 'on one node'() {
		const node = await openNode();
		return [node, node];
	},
	async 'on one node without a server set'() {
		const node = await openNode({ setServer: false });
		return [node, node];
	},
	async 'from another node'() {
		const backend = new MemoryBackend();
		return [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
	},
};

describe.each(Object.entries(places))('%s', (_place, open) => {
	it.each(Object.entries(ways))('%s keeps the kind and the bytes of every payload', async (_way, send) => {
		const [from, to] = await open();
		const member = await to.connect({ topics: new Set(['t']) });
		for (const [, payload] of payloads) await send(from, member.id, payload);
		await member.client.received(payloads.length);
		await to.settled(member);

		const arrived = messagesOf(member);
		payloads.forEach(([name, , expected], i) => expect(arrived[i], name).toEqual(expected));
		expect(arrived).toHaveLength(payloads.length);
		expect([...from.log.problems, ...to.log.problems]).toEqual([]);
	});

	it('publishFrom keeps the kind and the bytes of every payload', async () => {
		const [from, to] = await open();
		const sender = await from.connect();
		const member = await to.connect({ topics: new Set(['t']) });
		for (const [, payload] of payloads) await from.provider.publishFrom(sender.id, 't', payload);
		await member.client.received(payloads.length);

		expect(messagesOf(member)).toEqual(payloads.map(([, , expected]) => expected));
	});

	it('the caller may change its buffer as soon as the call has returned', async () => {
		const [from, to] = await open();
		const member = await to.connect({ topics: new Set(['t']) });
		const buffer = bytes();
		const sending = Object.values(ways).map((send) => send(from, member.id, buffer));
		buffer.fill(9);
		await Promise.all(sending);
		await member.client.received(3);

		expect(messagesOf(member)).toEqual([bytes(), bytes(), bytes()]);
	});
});
