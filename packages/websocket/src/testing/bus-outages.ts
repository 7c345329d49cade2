import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Bus } from '../bus.ts';
import { sleep } from '../support/promises.ts';
import { BusRecorder, type Interruption } from './bus-recorder.ts';
import { type CaseContext, type CaseNode, SkippedCase } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { attemptUntil, settled, until } from './waiting.ts';

/** How long an outage lasts, in milliseconds. */
const OUTAGE_MS = 150;
const PACE_MS = 5;
const LEAST_FRAMES = 10;

/**
 * The requirements for outages, in which the link of one bus is cut and later restored. The other buses keep running.
 */
export const OUTAGES: Requirements = {
	async 'reports an outage as interrupted, at its end and from before the first frame that was missed'(context) {
		const { a, b } = await startPair(context);
		await b.bus.subscribe(['t']);
		await context.cut(b.bus);
		const sent = await publishThroughout(a.bus, 't');
		const restoredAt = Date.now();
		await context.restore(b.bus);
		await untilLive(context, a, b, ['t']);
		const received = new Set(b.received.texts('t'));
		const missed = sent.filter(({ text }) => !received.has(text));
		// With liveness, the bus can report a later time: the provider begins the gap at the last heartbeat that came
		// back.
		const latest = (at: number): number => (b.bus.liveness === undefined ? at : Math.max(at, restoredAt));
		const covers = (each: Interruption, at: number): boolean =>
			concerns(each, 't') && each.since <= latest(at) && each.until >= at;
		await b.received.untilInterrupted(
			(all) => missed.every(({ at }) => all.some((each) => covers(each, at))),
			`interrupted() for t from ${missed[0]?.at} to ${missed.at(-1)?.at}, when ${missed.length} frames were missed`,
		);
	},

	async 'has liveness that tells of an interruption until it is reported'(context) {
		const { a, b } = await startPair(context);
		const { liveness } = b.bus;
		if (liveness === undefined) throw new SkippedCase('the bus has no liveness');
		const channels = ['t', ...liveness.heartbeatChannels()];
		const heartbeat = channels.findLast((channel) => liveness.shardOf(channel) === liveness.shardOf('t')) ?? '';
		await b.bus.subscribe(channels);
		equal(liveness.isInterrupted(heartbeat), false, 'isInterrupted() before the outage');
		await context.cut(b.bus);
		const told = (): boolean => liveness.isInterrupted(heartbeat);
		await until(told, context.timeoutMs, () => 'isInterrupted() is false in an outage');
		await context.restore(b.bus);
		await untilLive(context, a, b, channels);
		await b.received.untilInterrupted(() => countOf(b, heartbeat) > 0, 'interrupted() for a heartbeat channel');
		equal(liveness.isInterrupted(heartbeat), false, 'isInterrupted() after interrupted()');
	},

	async 'reports an interruption before promises that waited for its end resolve'(context) {
		const { a, b } = await startPair(context);
		await b.bus.subscribe(['t']);
		await context.cut(b.bus);
		let isOver = false;
		let before: number | undefined;
		const note = (): void => void (before = isOver ? countOf(b, 't') : undefined);
		const subscribing = b.bus.subscribe([besides('t', b.bus)]).then(note, note);
		await sleep(OUTAGE_MS);
		isOver = true;
		await context.restore(b.bus);
		await settled(context, 'a subscribe() of the outage', subscribing);
		await untilLive(context, a, b, ['t']);
		// If subscribe() did not wait, another case fails.
		if (before !== undefined) equal(countOf(b, 't') - before, 0, 'interrupted() was called after subscribe() resolved');
	},

	async 'receives on every channel again after an outage, without another subscribe'(context) {
		const { a, b } = await startPair(context);
		const channels = Array.from({ length: 200 }, (_, i) => `t${i}`);
		await b.bus.subscribe(channels);
		await context.cut(b.bus);
		await sleep(OUTAGE_MS);
		await context.restore(b.bus);
		await untilLive(context, a, b, channels);
	},

	async 'rejects publish in an outage, and never delivers that frame later'(context) {
		const { a, b } = await startPair(context);
		await a.bus.subscribe(['t']);
		await context.cut(b.bus);
		for (let i = 0; i < 10; i++) {
			if (i === 5) await untilNoticed(b);
			const outcome = await settled(context, 'publish() in an outage', b.bus.publish('t', bytes(`lost ${i}`)));
			ok(outcome instanceof Error, 'publish() must reject with an Error while the backend is unreachable');
		}
		await context.restore(b.bus);
		await untilAccepted(context, b.bus, 't');
		await b.bus.publish('t', bytes('end'));
		await a.received.untilLast('t', 'end');
		const lost = a.received.texts('t').filter((text) => text.startsWith('lost'));
		deepEqual(lost, [], 'publish() rejected, but the frame was delivered after the outage');
	},

	async 'neither repeats nor reorders frames that an outage interrupts, and loses none that it accepted'(context) {
		const { a, b } = await startPair(context);
		await a.bus.subscribe(['t']);
		const publishing: Promise<unknown>[] = [];
		const publish200 = (): void => {
			for (let i = 0; i < 200; i++) {
				const published = b.bus.publish('t', bytes(String(publishing.length)));
				publishing.push(settled(context, 'publish() before an outage', published));
			}
		};
		publish200();
		await publishing[0];
		publish200();
		const cutting = context.cut(b.bus);
		publish200();
		await cutting;
		const accepted = (await Promise.all(publishing)).flatMap((error, i) => (error === undefined ? [i] : []));
		await context.restore(b.bus);
		await untilAccepted(context, b.bus, 't');
		await b.bus.publish('t', bytes('end'));
		await a.received.untilLast('t', 'end');
		const numbers = a.received
			.texts('t')
			.filter((text) => /^\d/.test(text))
			.map(Number);
		deepEqual(
			numbers,
			[...new Set(numbers)].toSorted((x, y) => x - y),
			'frames were repeated, or arrived out of order',
		);
		const arrived = new Set(numbers);
		deepEqual(
			accepted.filter((number) => !arrived.has(number)),
			[],
			'publish() resolved, but the frame was not delivered',
		);
	},

	async 'keeps subscribe pending in an outage, until frames from other nodes will arrive'(context) {
		const { a, b } = await startPair(context);
		await context.cut(b.bus);
		const outcomes: string[] = [];
		const subscribe = (channel: string): Promise<unknown> =>
			b.bus.subscribe([channel]).then(
				() => outcomes.push('resolved'),
				(error: unknown) => outcomes.push(`rejected: ${String(error)}`),
			);
		const subscribing = [subscribe('t')];
		await untilNoticed(b);
		subscribing.push(subscribe('u'));
		await publishThroughout(a.bus, 't');
		deepEqual(outcomes, [], 'subscribe() must stay pending while the backend is unreachable');
		await context.restore(b.bus);
		await settled(context, 'a subscribe() of the outage', Promise.all(subscribing));
		deepEqual(outcomes, ['resolved', 'resolved']);
		for (const channel of ['t', 'u']) {
			await a.bus.publish(channel, bytes('first'));
			await b.received.untilLast(channel, 'first');
		}
	},

	async 'applies subscribe and unsubscribe calls of an outage, in their order'(context) {
		const { a, b } = await startPair(context);
		await b.bus.subscribe(['gone', 'again', 'end']);
		await context.cut(b.bus);
		await untilNoticed(b);
		const calls = Promise.allSettled([
			b.bus.unsubscribe(['gone', 'again']),
			b.bus.subscribe(['again', 'brief']),
			b.bus.unsubscribe(['brief']),
		]);
		await sleep(OUTAGE_MS);
		await context.restore(b.bus);
		await settled(context, 'a call of the outage', calls);
		await untilLive(context, a, b, ['again', 'end']);
		for (const channel of ['gone', 'brief', 'end']) await a.bus.publish(channel, bytes('last'));
		await b.received.untilLast('end', 'last');
		deepEqual([b.received.texts('gone'), b.received.texts('brief')], [[], []]);
	},

	async 'is degraded in an outage, with a reason, and ready after it'(context) {
		const { b } = await startPair(context);
		await context.cut(b.bus);
		await b.received.untilStatus('degraded');
		for (const status of b.received.statuses) {
			if (status.state === 'degraded') ok(status.reason.length > 0, 'a degraded status must have a reason');
		}
		await context.restore(b.bus);
		await b.received.untilStatus('ready');
	},

	async 'stops in an outage, calls no handler after that, and can be started again'(context) {
		const { a, b } = await startPair(context);
		await Promise.all([a, b].map(({ bus }) => bus.subscribe(['t'])));
		await context.cut(b.bus);
		await untilNoticed(b);
		b.bus.subscribe(['new']).catch(() => {});
		equal(await settled(context, 'stop() in an outage', b.bus.stop()), undefined, 'stop() rejected');
		const calls = b.received.calls;
		await context.restore(b.bus);
		await publishThroughout(a.bus, 't');
		equal(b.received.calls, calls, 'a handler was called after stop() had resolved');
		const again = new BusRecorder(context.timeoutMs);
		await b.bus.start(again);
		await b.bus.subscribe(['t']);
		await a.bus.publish('t', bytes('first'));
		await again.untilLast('t', 'first');
	},

	async 'rejects a start that an outage delays when stop is called'(context) {
		context.needs('cut', 'restore');
		const bus = await context.createBus();
		context.onEnd(() => bus.stop());
		await context.cut(bus);
		const starting = settled(context, 'start() in an outage', bus.start(new BusRecorder()));
		await sleep(OUTAGE_MS);
		equal(await settled(context, 'stop() in an outage', bus.stop()), undefined, 'stop() rejected');
		ok((await starting) instanceof Error, 'start() must reject when stop() is called before it resolves');
	},
};

async function startPair(context: CaseContext): Promise<{ readonly a: CaseNode; readonly b: CaseNode }> {
	context.needs('cut', 'restore');
	return { a: await context.startNode(), b: await context.startNode() };
}

/**
 * Resolves once a bus has noticed that its link is cut. If the bus does not report that, resolves after the time of an
 * outage.
 */
async function untilNoticed({ received }: CaseNode): Promise<void> {
	await until(
		() => received.statuses.at(-1)?.state === 'degraded',
		OUTAGE_MS,
		() => '',
	).catch(() => {});
}

function concerns({ channels }: Interruption, channel: string): boolean {
	return channels === 'all' || channels.includes(channel);
}

/** Returns how many interruptions of a channel a node has reported. */
function countOf({ received }: CaseNode, channel: string): number {
	return received.interruptions.filter((each) => concerns(each, channel)).length;
}

/** Returns another channel of the same shard, so that both are interrupted together. */
function besides(channel: string, { liveness }: Bus): string {
	for (let i = 0; ; i++) {
		const other = `${channel}${i}`;
		if (liveness === undefined || liveness.shardOf(other) === liveness.shardOf(channel)) return other;
	}
}

interface SentFrame {
	readonly text: string;
	/** When the frame was published, in milliseconds since the epoch. */
	readonly at: number;
}

/**
 * Publishes numbered frames, one after the other, for as long as an outage lasts. Publishes at least ten, even if the
 * machine is busy.
 */
async function publishThroughout(bus: Bus, channel: string): Promise<SentFrame[]> {
	const sent: SentFrame[] = [];
	const end = performance.now() + OUTAGE_MS;
	while (performance.now() < end || sent.length < LEAST_FRAMES) {
		const frame = { text: String(sent.length), at: Date.now() };
		sent.push(frame);
		await bus.publish(channel, bytes(frame.text));
		await sleep(PACE_MS);
	}
	return sent;
}

/** Resolves once a frame that `a` publishes now has arrived at `b` on each of the channels. */
async function untilLive(
	{ timeoutMs }: CaseContext,
	a: CaseNode,
	b: CaseNode,
	channels: readonly string[],
): Promise<void> {
	const probe = `probe ${crypto.randomUUID()}`;
	let silent = channels;
	await attemptUntil(
		() => Promise.all(silent.map((channel) => a.bus.publish(channel, bytes(probe)))),
		() => {
			const live = new Set(b.received.frames.filter(({ frame }) => isText(frame, probe)).map(({ channel }) => channel));
			silent = channels.filter((channel) => !live.has(channel));
			return silent.length === 0;
		},
		timeoutMs,
		() => `nothing arrived after the outage on ${silent.length} of ${channels.length} channels, such as ${silent[0]}`,
	);
}

/** Resolves once the bus has accepted a frame. */
async function untilAccepted({ timeoutMs }: CaseContext, bus: Bus, channel: string): Promise<void> {
	let isAccepted = false;
	let lastError: unknown;
	await attemptUntil(
		() =>
			bus.publish(channel, bytes('probe')).then(
				() => (isAccepted = true),
				(error: unknown) => (lastError = error),
			),
		() => isAccepted,
		timeoutMs,
		() => `publish() still rejects after the outage: ${String(lastError)}`,
	);
}

function bytes(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

function isText(frame: Uint8Array, text: string): boolean {
	return frame.length === text.length && new TextDecoder().decode(frame) === text;
}
