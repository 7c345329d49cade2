import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Bus } from '../bus.ts';
import type { Gap } from '../loss/gap-events.ts';
import { sleep } from '../support/promises.ts';
import { MemoryBackend } from '../testing/index.ts';
import { decodeFrame } from '../wire/frame.ts';
import { WsProvider } from '../ws-provider.ts';

const HEARTBEAT_MS = 100;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** A node to which nothing is delivered while it is deaf, although its subscriptions stay. */
async function startNode(backend: MemoryBackend, collectBeatsAbove: number) {
	const bus = backend.createBus();
	let isDeaf = false;
	let lostBeats = 0;
	const deafBus: Bus = {
		...bus,
		start: (handlers) =>
			bus.start({
				...handlers,
				deliver: (channel, bytes) => {
					if (!isDeaf) return handlers.deliver(channel, bytes);
					const frame = decodeFrame(bytes, 0);
					if (typeof frame === 'object' && frame.type === 'beat') lostBeats++;
				},
			}),
	};
	const provider = new WsProvider({ bus: deafBus, logger: SILENT, heartbeatMs: HEARTBEAT_MS, collectBeatsAbove });
	onTestFinished(() => provider.stop());
	await provider.start();
	const gaps: Gap[] = [];
	provider.onGap((gap) => gaps.push(gap));
	return {
		provider,
		gaps,
		/** Loses one beat on its way, and everything else until then. Returns when that began. */
		async loseABeat(): Promise<number> {
			const since = Date.now();
			isDeaf = true;
			await until(() => lostBeats > 0, { what: 'a beat is lost' });
			isDeaf = false;
			return since;
		},
	};
}

describe.each([1, 32])('a connection that loses what is delivered for a moment, collectBeatsAbove: %i', (above) => {
	it('is noticed by the next beat of the node itself', async () => {
		const backend = new MemoryBackend({ liveness: true });
		const [node, other] = [await startNode(backend, above), await startNode(backend, above)];
		await until(() => node.provider.cluster.nodes().length === 2, { what: 'the nodes know each other' });
		await sleep(10 * HEARTBEAT_MS);
		expect(node.gaps).toEqual([]);
		const since = await node.loseABeat();
		const heardAt = Date.now();
		await until(() => node.gaps.length > 0, { what: 'a gap is reported', timeoutMs: 3_000 });
		expect(node.gaps).toMatchObject([{ topic: '*' }]);
		expect(node.gaps[0]?.since).toBeLessThanOrEqual(since);
		expect(node.gaps[0]?.until).toBeGreaterThanOrEqual(heardAt);
		await sleep(2_000);
		expect(node.gaps).toHaveLength(1);
		expect(other.gaps).toEqual([]);
	}, 20_000);
});
