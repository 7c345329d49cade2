import { strict as assert } from 'node:assert';
import { isMessage } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { Anything, Delivered, Maybe, Parcel } from '../messages.ts';
import { newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

/** Returns new objects each time, so that nothing can arrive by being the same object. */
function content(): { at: Date; bytes: Uint8Array<ArrayBuffer>; raw: ArrayBuffer } {
	return { at: new Date(1_795_480_303_331), bytes: Uint8Array.of(0, 62, 255), raw: Uint8Array.of(7, 8).buffer };
}

function assertContent(received: unknown): void {
	assert.deepEqual(received, content());
	// Browsers' versions of `deepEqual` don't compare the bytes of an ArrayBuffer.
	assert.deepEqual([...new Uint8Array((received as { raw: ArrayBuffer }).raw)], [7, 8]);
}

export const carriedValues: Record<string, Scenario> = {
	'dates and bytes arrive as such in requests and their replies': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const reply = await client.request(Parcel, { via: 'reply', content: content() });
		assert.equal(reply.at.getUTCFullYear(), 2026);
		assertContent(reply);
	},

	'dates and bytes arrive as such in messages to the client, and to a topic': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: unknown[] = [];
		client.on(Delivered, (data, envelope) => {
			received.push(data);
			assert.equal(data, envelope.data);
			assert.ok(!('values' in envelope));
		});
		await client.subscribe('t');
		for (const via of ['message', 't']) await client.request(Parcel, { via, content: content() });
		await eventually(() => received.length === 2, 'both have arrived');
		for (const data of received) assertContent(data);
	},

	"dates and bytes arrive as such in the server's requests and the client's replies": async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.handle(Delivered, (data) => {
			assertContent(data);
			return { ...data, at: new Date(5) };
		});
		const { at, ...rest } = await client.request(Parcel, { via: 'request', content: content() });
		assert.deepEqual(at, new Date(5));
		assertContent({ ...rest, at: content().at });
	},

	'dates and bytes arrive as such from a history': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (let i = 0; i < 2; i++) await client.request(Parcel, { via: 'long:t', content: content() });
		const received: unknown[] = [];
		await client.subscribe('long:t', {
			rewind: 2,
			onMessage(_, envelope) {
				if (isMessage(Delivered, envelope)) received.push(envelope.data);
			},
		});
		await client.request(Parcel, { via: 'long:t', content: content() });
		await eventually(() => received.length === 3, 'all have arrived');
		for (const data of received) assertContent(data);
	},

	'a reply that may be undefined arrives as undefined': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assert.equal(await client.request(Maybe, null), undefined);
	},

	'an answer or a page whose list of values does not match its data rejects with invalid_reply': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		const connected = client.connect();
		const answer = async (index: number, rest: object): Promise<void> => {
			await eventually(async () => (await server.received()).length > index, `frame ${index} has arrived`);
			const { type, correlationId } = JSON.parse((await server.received())[index]?.text ?? '');
			await server.sendRaw(JSON.stringify({ type, correlationId, ...rest }));
		};
		await answer(0, { data: { socketId: 's', timestamp: 1 } });
		await connected;
		const values = [['date', 'at']];
		const requested = client.request(Anything, 1);
		await answer(1, { data: {}, values });
		assertRefused(await rejection(requested), 'invalid_reply');
		const read = client.history('t');
		await answer(2, { data: { messages: [{ name: 'n', data: {}, values }] } });
		assertRefused(await rejection(read), 'invalid_reply');
	},

	'a frame whose list of values does not match its data is not a message': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const raw: unknown[] = [];
		const heard: unknown[] = [];
		client.onRaw((text) => raw.push(text));
		client.on(Delivered, (data) => heard.push(data));
		const frames = [[['date', '__proto__', 'at']], [['uint8array', 'at']], [['bytes', 'at']], 'date', null].map(
			(values) => JSON.stringify({ name: 'delivered', timestamp: 1, data: { at: 'today' }, values }),
		);
		for (const frame of frames) await server.sendRaw(frame);
		await eventually(() => raw.length === frames.length, 'all have arrived');
		assert.deepEqual(raw, frames);
		assert.deepEqual(heard, []);
	},
};
