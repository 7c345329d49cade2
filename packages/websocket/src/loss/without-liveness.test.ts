import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';

const hints = ({ log }: TestNode): string[] =>
	log.lines.map(({ message }) => message).filter((message) => message.includes('no liveness'));

describe('a provider on a bus without liveness', () => {
	it('says once at start, without alarm, that losses on it may not be detected', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus() });
		await node.connect({ topics: new Set(['t']) });
		await node.provider.publish('t', 'x');

		expect(hints(node)).toEqual(["This bus has no liveness: losses that it does not report itself can't be detected"]);
		expect(node.log.problems).toEqual([]);
	});

	it('begins a gap before messages that waited to be sent when the link broke', async () => {
		const backend = new MemoryBackend();
		const bus = backend.createBus();
		const [node, other] = [await openNode({ bus }), await openNode({ bus: backend.createBus() })];
		const gaps: Gap[] = [];
		node.provider.onGap((gap) => gaps.push(gap));
		const member = await node.connect({ topics: new Set(['t']) });
		// The first message of a turn is sent at once, the others when the turn ends.
		void other.provider.publish('elsewhere', 'first');
		await Promise.resolve();
		const publishedAt = Date.now();
		const published = other.provider.publish('t', 'later');
		while (Date.now() < publishedAt + 5);
		backend.cut(bus);
		await published;
		backend.restore(bus);

		await until(() => gaps.length > 0, { what: 'the gap is reported' });
		await node.settled(member);
		expect(messagesOf(member)).not.toContain('later');
		expect(gaps[0]?.since).toBeLessThanOrEqual(publishedAt);
	});
});

it.each([
	['on a bus with liveness', () => openNode({ bus: new MemoryBackend({ liveness: true }).createBus() })],
	['without a bus', () => openNode()],
])('a provider %s says nothing about liveness', async (_, open) => {
	expect(hints(await open())).toEqual([]);
});
