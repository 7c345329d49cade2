import { describe, expect, it } from 'vitest';
import { type Outcome, OutboundFrames } from './outbound-frames.ts';
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

/** An outbox whose messages are written down; the backend accepts them unless `answers` is off. */
function outboxTo(sent: Sent[], answers = true): { outbox: OutboundFrames; outcomes: [string, Outcome][] } {
	const outcomes: [string, Outcome][] = [];
	const outbox = new OutboundFrames({
		send(channel, messages) {
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
	return { outbox, outcomes };
}

function sizeOf(messages: readonly (string | Uint8Array)[]): number {
	return messages.reduce((sum, message) => sum + message.length, 0);
}

describe('messages on their way out', () => {
	it('to one channel in one tick share one frame, in the order they were added', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		const payloads: Payload[] = ['one', new Uint8Array([1, 2]), '', 'four'];
		await Promise.all(payloads.map((payload) => outbox.add('t', payload)));

		expect(sent.map(({ channel }) => channel)).toEqual(['t']);
		expect(sent[0]?.messages.map((message) => (typeof message === 'string' ? message : [...message]))).toEqual([
			'one',
			[1, 2],
			'',
			'four',
		]);
	});

	it('to different channels travel in frames of their own', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		await Promise.all([outbox.add('t', '1'), outbox.add('u', '2'), outbox.add('t', '3')]);

		expect(sent.map(({ channel, messages }) => [channel, ...messages])).toEqual([
			['t', '1', '3'],
			['u', '2'],
		]);
	});

	it('leave when the code that published them has run, and not before', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		void outbox.add('t', '1');
		void outbox.add('t', '2');
		expect(sent).toEqual([]);

		await Promise.resolve();
		expect(sent.map(({ messages }) => messages)).toEqual([['1', '2']]);
	});

	it('wait for the others of their turn once one has left, and again while every turn has some', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		for (let turn = 0; turn < 3; turn++) {
			for (let i = 0; i < 3; i++) {
				void outbox.add('t', `${turn}.${i}`);
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
		void outbox.add('t', 'after a pause');
		await Promise.resolve();
		expect(sent.at(-1)?.messages).toEqual(['after a pause']);
	});

	it('of two ticks are two frames', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		await outbox.add('t', '1');
		await outbox.add('t', '2');

		expect(sent.map(({ messages }) => messages)).toEqual([['1'], ['2']]);
	});

	it('keep their order across frames that were full before the tick was over', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		const texts = Array.from({ length: 40 }, (_, i) => `${i} `.padEnd((i % 4) * 20 * KIB + 10, '.'));
		const adding = texts.map((text) => outbox.add('t', text));
		expect(sent.length).toBeGreaterThan(1);

		await Promise.all(adding);
		expect(sent.flatMap(({ messages }) => messages).map((text) => String(text).trimEnd())).toEqual(
			texts.map((text) => text.trimEnd()),
		);
		// Full is 256 KiB: no frame is fuller by more than its last message.
		for (const { bytes } of sent.slice(0, -1)) expect(bytes).toBeGreaterThanOrEqual(256 * KIB);
		for (const { bytes } of sent) expect(bytes).toBeLessThan((256 + 64) * KIB);
	});

	it('go at once when one alone fills a frame, and disturb no other channel', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		const small = outbox.add('small', 'x');
		const large = outbox.add('large', new Uint8Array(256 * KIB));
		expect(sent.map(({ channel }) => channel)).toEqual(['large']);

		await Promise.all([small, large]);
		expect(sent.map(({ channel }) => channel)).toEqual(['large', 'small']);
	});

	it('are copies: what the caller does to its buffer afterwards changes nothing', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		const whole = new Uint8Array([1, 2, 3, 4]);
		const payloads: Payload[] = [whole, whole.buffer, whole.subarray(1, 3), new DataView(whole.buffer, 2)];
		const adding = payloads.map((payload) => outbox.add('t', payload));
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

describe('the answer to a message', () => {
	it('comes when the backend has given its own', async () => {
		const sent: Sent[] = [];
		const { outbox, outcomes } = outboxTo(sent, false);
		let accepted = false;
		const added = outbox.add('t', 'x').then(() => (accepted = true));
		await ticks(5);
		expect(accepted).toBe(false);

		sent[0]?.answer.resolve(3);
		await added;
		expect(outcomes).toEqual([['t', { nodes: 3 }]]);
	});

	it('is the error where its frame was not accepted, and good for the frames of other channels', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent, false);
		const lost = [outbox.add('t', '1'), outbox.add('t', '2')];
		const fine = outbox.add('u', '3');
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

	it('is an Error also where the backend threw something else', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent, false);
		const added = outbox.add('t', 'x');
		await ticks(1);
		sent[0]?.answer.reject('no');

		await expect(added).rejects.toEqual(new Error('no'));
	});

	it('crashes nobody when it is bad and nobody awaits it', async () => {
		const watch = watchUnhandledRejections();
		const sent: Sent[] = [];
		const { outbox, outcomes } = outboxTo(sent, false);
		void outbox.add('t', 'x');
		void outbox.add('t', new Uint8Array(300 * KIB));
		await ticks(1);
		for (const { answer } of sent) answer.reject(new Error('backend away'));
		await outbox.drain(1_000, new Error('late'));

		expect(outcomes).toHaveLength(sent.length);
		expect(await watch.seen()).toEqual([]);
	});
});

describe('drain', () => {
	it('sends what waits at once and resolves when every answer is there, good or bad', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent, false);
		void outbox.add('sent', new Uint8Array(300 * KIB));
		void outbox.add('waiting', 'x');
		let drained = false;
		const draining = outbox.drain(1_000, new Error('late')).then(() => (drained = true));
		expect(sent.map(({ channel }) => channel)).toEqual(['sent', 'waiting']);

		sent[0]?.answer.resolve(1);
		await ticks(5);
		expect(drained).toBe(false);
		sent[1]?.answer.reject(new Error('backend away'));
		await draining;
	});

	it('waits no longer than it may for a backend that does not answer, and tells those who wait', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent, false);
		const added = outbox.add('t', 'x');
		const before = performance.now();
		const late = new Error('late');
		await outbox.drain(20, late);

		expect(performance.now() - before).toBeGreaterThan(15);
		expect(sent).toHaveLength(1);
		await expect(added).rejects.toBe(late);
	});

	it('leaves nothing to be sent a second time', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		void outbox.add('t', 'x');
		await outbox.drain(1_000, new Error('late'));
		await outbox.drain(1_000, new Error('late'));
		await ticks(3);

		expect(sent).toHaveLength(1);
	});

	it('is followed by a new batch as if nothing had been', async () => {
		const sent: Sent[] = [];
		const { outbox } = outboxTo(sent);
		void outbox.add('t', '1');
		await outbox.drain(1_000, new Error('late'));
		await outbox.add('t', '2');

		expect(sent.map(({ messages }) => messages)).toEqual([['1'], ['2']]);
	});
});
