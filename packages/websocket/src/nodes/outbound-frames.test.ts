import { describe, expect, it } from 'vitest';
import { type Outcome, OutboundFrames } from './outbound-frames.ts';
import { Except, ForNode, type Message } from '../wire/frame-messages.ts';
import type { Payload } from '../wire/payload.ts';
import { ticks } from '../test-support/ticks.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';

const KIB = 1024;

interface Sent {
	readonly channel: string;
	readonly messages: readonly (string | Uint8Array)[];
	readonly bytes: number;
	/** The backend's answer. */
	readonly answer: PromiseWithResolvers<number | undefined>;
}

/** Creates outbound frames and records those that are sent. If `answers` is true, the backend accepts them. */
function outboundTo(sent: Sent[], answers = true): { outbound: OutboundFrames; outcomes: [string, Outcome][] } {
	const outcomes: [string, Outcome][] = [];
	const outbound = new OutboundFrames({
		send(channel, all) {
			const messages = all.filter(isForSockets);
			const answer = Promise.withResolvers<number | undefined>();
			sent.push({ channel, messages, bytes: sizeOf(messages), answer });
			if (answers) answer.resolve(1);
			return answer.promise;
		},
		onOutcome(channel, outcome) {
			outcomes.push([channel, outcome]);
			return 'error' in outcome ? outcome.error : undefined;
		},
	});
	return { outbound, outcomes };
}

function isForSockets(message: Message): message is string | Uint8Array {
	return !(message instanceof ForNode || message instanceof Except);
}

function sizeOf(messages: readonly (string | Uint8Array)[]): number {
	return messages.reduce((sum, message) => sum + message.length, 0);
}

describe('outbound messages', () => {
	it('to one channel in one tick share one frame, in the order they were added', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		const payloads: Payload[] = ['one', new Uint8Array([1, 2]), '', 'four'];
		await Promise.all(payloads.map((payload) => outbound.add('t', payload)));

		expect(sent.map(({ channel }) => channel)).toEqual(['t']);
		expect(sent[0]?.messages.map((message) => (typeof message === 'string' ? message : [...message]))).toEqual([
			'one',
			[1, 2],
			'',
			'four',
		]);
	});

	it('to different channels travel in separate frames', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		await Promise.all([outbound.add('t', '1'), outbound.add('u', '2'), outbound.add('t', '3')]);

		expect(sent.map(({ channel, messages }) => [channel, ...messages])).toEqual([
			['t', '1', '3'],
			['u', '2'],
		]);
	});

	it('leave once the code that published them has run, and not before', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		void outbound.add('t', '1');
		void outbound.add('t', '2');
		expect(sent).toEqual([]);

		await Promise.resolve();
		expect(sent.map(({ messages }) => messages)).toEqual([['1', '2']]);
	});

	it('wait for the end of the turn once one has been sent, turn after turn while there are any', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		for (let turn = 0; turn < 3; turn++) {
			for (let i = 0; i < 3; i++) {
				void outbound.add('t', `${turn}.${i}`);
				await Promise.resolve();
			}
			await ticks(1);
		}

		expect(sent.map(({ messages }) => messages)).toEqual([
			['0.0'],
			['0.1', '0.2'],
			['1.0', '1.1', '1.2'],
			['2.0', '2.1', '2.2'],
		]);

		await ticks(2);
		void outbound.add('t', 'after a pause');
		await Promise.resolve();
		expect(sent.at(-1)?.messages).toEqual(['after a pause']);
	});

	it('of two ticks are two frames', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		await outbound.add('t', '1');
		await outbound.add('t', '2');

		expect(sent.map(({ messages }) => messages)).toEqual([['1'], ['2']]);
	});

	it('keep their order across frames that fill up before the tick ends', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		const texts = Array.from({ length: 40 }, (_, i) => `${i} `.padEnd((i % 4) * 20 * KIB + 10, '.'));
		const adding = texts.map((text) => outbound.add('t', text));
		expect(sent.length).toBeGreaterThan(1);

		await Promise.all(adding);
		expect(sent.flatMap(({ messages }) => messages).map((text) => String(text).trimEnd())).toEqual(
			texts.map((text) => text.trimEnd()),
		);
		// A full frame has 256 KiB: none exceeds that by more than its last message.
		for (const { bytes } of sent.slice(0, -1)) expect(bytes).toBeGreaterThanOrEqual(256 * KIB);
		for (const { bytes } of sent) expect(bytes).toBeLessThan((256 + 64) * KIB);
	});

	it('leave at once when one alone fills a frame, without affecting other channels', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		const small = outbound.add('small', 'x');
		const large = outbound.add('large', new Uint8Array(256 * KIB));
		expect(sent.map(({ channel }) => channel)).toEqual(['large']);

		await Promise.all([small, large]);
		expect(sent.map(({ channel }) => channel)).toEqual(['large', 'small']);
	});

	it('are copies: the caller may change its buffer afterwards', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		const whole = new Uint8Array([1, 2, 3, 4]);
		const payloads: Payload[] = [whole, whole.buffer, whole.subarray(1, 3), new DataView(whole.buffer, 2)];
		const adding = payloads.map((payload) => outbound.add('t', payload));
		whole.fill(9);
		await Promise.all(adding);

		expect(sent[0]?.messages.map((bytes) => [...Buffer.from(bytes)])).toEqual([
			[1, 2, 3, 4],
			[1, 2, 3, 4],
			[2, 3],
			[3, 4],
		]);
	});
});

describe('the promise of a message', () => {
	it('settles once the backend has answered', async () => {
		const sent: Sent[] = [];
		const { outbound, outcomes } = outboundTo(sent, false);
		let accepted = false;
		const added = outbound.add('t', 'x').then(() => (accepted = true));
		await ticks(5);
		expect(accepted).toBe(false);

		sent[0]?.answer.resolve(3);
		await added;
		expect(outcomes).toEqual([['t', { nodes: 3 }]]);
	});

	it('rejects if its frame was not accepted, while those of other channels resolve', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent, false);
		const lost = [outbound.add('t', '1'), outbound.add('t', '2')];
		const fine = outbound.add('u', '3');
		await ticks(1);
		const fault = new Error('backend away');
		sent[0]?.answer.reject(fault);
		sent[1]?.answer.resolve(1);

		await fine;
		expect(await Promise.allSettled(lost)).toEqual([
			{ status: 'rejected', reason: fault },
			{ status: 'rejected', reason: fault },
		]);
	});

	it('rejects with an Error even if the backend threw something else', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent, false);
		const added = outbound.add('t', 'x');
		await ticks(1);
		sent[0]?.answer.reject('no');

		await expect(added).rejects.toEqual(new Error('no'));
	});

	it('causes no unhandled rejection when it is ignored', async () => {
		const watch = watchUnhandledRejections();
		const sent: Sent[] = [];
		const { outbound, outcomes } = outboundTo(sent, false);
		void outbound.add('t', 'x');
		void outbound.add('t', new Uint8Array(300 * KIB));
		await ticks(1);
		for (const { answer } of sent) answer.reject(new Error('backend away'));
		await outbound.drain(1_000, new Error('late'));

		expect(outcomes).toHaveLength(sent.length);
		expect(await watch.seen()).toEqual([]);
	});
});

describe('drain', () => {
	it('sends pending messages at once and resolves when all are settled', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent, false);
		void outbound.add('sent', new Uint8Array(300 * KIB));
		void outbound.add('waiting', 'x');
		let drained = false;
		const draining = outbound.drain(1_000, new Error('late')).then(() => (drained = true));
		expect(sent.map(({ channel }) => channel)).toEqual(['sent', 'waiting']);

		sent[0]?.answer.resolve(1);
		await ticks(5);
		expect(drained).toBe(false);
		sent[1]?.answer.reject(new Error('backend away'));
		await draining;
	});

	it('does not wait longer than its timeout for a backend that does not answer, and rejects the rest', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent, false);
		const added = outbound.add('t', 'x');
		const before = performance.now();
		const late = new Error('late');
		await outbound.drain(20, late);

		expect(performance.now() - before).toBeGreaterThan(15);
		expect(sent).toHaveLength(1);
		await expect(added).rejects.toBe(late);
	});

	it('leaves nothing to be sent twice', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		void outbound.add('t', 'x');
		await outbound.drain(1_000, new Error('late'));
		await outbound.drain(1_000, new Error('late'));
		await ticks(3);

		expect(sent).toHaveLength(1);
	});

	it('is followed by a new batch as usual', async () => {
		const sent: Sent[] = [];
		const { outbound } = outboundTo(sent);
		void outbound.add('t', '1');
		await outbound.drain(1_000, new Error('late'));
		await outbound.add('t', '2');

		expect(sent.map(({ messages }) => messages)).toEqual([['1'], ['2']]);
	});
});
