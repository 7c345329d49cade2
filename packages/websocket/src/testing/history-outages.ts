import { deepEqual, equal, ok } from 'node:assert/strict';
import type { CaseContext } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { contents } from './history-assertions.ts';
import { historyOf, type HistoryNode, readAll, ROOMY, startHistoryNode } from './history-node.ts';
import { type SentMessage, TOPIC } from './provider-node.ts';
import { ProviderPair } from './provider-pair.ts';
import { attemptUntil, settled, until } from './waiting.ts';

/**
 * The requirements for outages, in which the link of one node is cut and later restored. The other nodes keep running.
 */
export const OUTAGES: Requirements = {
	async 'appends and reads reject in an outage, and nothing is stored later'(context) {
		const { a, b } = await startPair(context);
		await context.cut(b.bus);
		for (const call of [() => b.history.append('t', ['lost'], ROOMY), () => readAll(b)]) {
			const outcome = await settled(context, 'a call in an outage', call());
			ok(outcome instanceof Error, 'append() and read() must reject with an Error while the backend is unreachable');
		}
		await context.restore(b.bus);
		await untilAppended(context, b);
		deepEqual(
			contents((await readAll(a)).entries).filter((content) => content === 'lost'),
			[],
		);
	},

	async 'of the appends that an outage interrupts, those that resolve are stored, and none twice'(context) {
		const { a, b } = await startPair(context);
		const appends = Array.from({ length: 100 }, (_, i) => b.history.append('t', [`${i}`], ROOMY));
		const outcomes = appends.map((append) => settled(context, 'append() before an outage', append));
		await appends[0];
		await context.cut(b.bus);
		const resolved = (await Promise.all(outcomes)).flatMap((outcome, i) => (outcome === undefined ? [`${i}`] : []));
		await context.restore(b.bus);
		const stored = contents((await readAll(a)).entries);
		equal(new Set(stored).size, stored.length, 'a message was stored twice');
		deepEqual(
			resolved.filter((content) => !stored.includes(content)),
			[],
			'append() resolved, but the message was not stored',
		);
	},

	async 'providers deliver what they missed in an outage, once and in order, without a gap'(context) {
		context.needs('cut', 'restore');
		historyOf(await context.createBus());
		const pair = await ProviderPair.start(context, { history: { [TOPIC]: ROOMY } });
		await pair.publishThroughout(() => pair.cut(pair.b));
		for (const { from, to } of pair.ways) {
			const lost = (): SentMessage[] => {
				const received = new Set(to.receivedFrom(from.name));
				return from.sent.filter(({ number }) => !from.rejected.has(number) && !received.has(number));
			};
			await until(
				() => lost().length === 0,
				context.timeoutMs,
				() => `${lost().length} messages of node ${from.name} did not arrive at node ${to.name}`,
			);
			const numbers = to.receivedFrom(from.name);
			deepEqual(
				numbers,
				[...new Set(numbers)].toSorted((x, y) => x - y),
				'messages arrived twice or out of order',
			);
			deepEqual(
				to.gaps.filter(({ topic }) => topic === TOPIC),
				[],
			);
		}
	},
};

async function startPair(context: CaseContext): Promise<{ readonly a: HistoryNode; readonly b: HistoryNode }> {
	context.needs('cut', 'restore');
	return { a: await startHistoryNode(context, 't'), b: await startHistoryNode(context, 't') };
}

/** Resolves once the history of a node has accepted a message. */
async function untilAppended({ timeoutMs }: CaseContext, { history }: HistoryNode): Promise<void> {
	let isAppended = false;
	let lastError: unknown;
	await attemptUntil(
		() =>
			history.append('t', ['probe'], ROOMY).then(
				() => (isAppended = true),
				(error: unknown) => (lastError = error),
			),
		() => isAppended,
		timeoutMs,
		() => `append() still rejects after the outage: ${String(lastError)}`,
	);
}
