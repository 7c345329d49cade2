import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { type Bus, ProviderNotStartedError, ProviderStoppedError } from './index.ts';
import { MemoryBackend } from './testing/index.ts';
import { messagesOf, openNode } from './test-support/test-node.ts';
import { nextTick, ticks } from './test-support/ticks.ts';
import { WatchedBus } from './test-support/watched-bus.ts';
import { silentHandlers } from './test-support/silent-handlers.ts';

describe('before start', () => {
	it('sockets and their listed topics are accepted; their promises resolve once the provider has started', async () => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus(), start: false });
		const b = await openNode({ bus: backend.createBus() });
		const attempt = await a.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['listed']) });
		const { socketId } = attempt.ws.data;
		let isAdded = false;
		const adding = attempt.added.then(() => (isAdded = true));
		await ticks(5);
		expect(isAdded).toBe(false);
		expect(a.provider.isConnected(socketId)).toBe(true);

		await a.provider.start();
		await adding;
		await b.provider.publish('listed', '1');
		await b.provider.send(socketId, '2');
		await b.provider.broadcast('3');
		await a.settled(attempt);
		expect(messagesOf(attempt)).toEqual(['1', '2', '3']);
	});

	it('sockets that wait for the start are logged, once', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus(), start: false });
		for (let i = 0; i < 3; i++)
			await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['listed']) });

		expect(node.log.problems).toMatchObject([
			{ level: 'warn', message: expect.stringContaining('before provider.start() was called') },
		]);
	});

	it('unsubscribing works on this node', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus(), start: false });
		const { ws } = await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['a', 'b']) });
		await node.coordinator.unsubscribeFromTopic(ws.data.socketId, 'a');

		expect([...ws.data.topics]).toEqual(['b']);
	});

	it('subscribing while the provider is starting resolves once it has started', async () => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus(), start: false });
		const b = await openNode({ bus: backend.createBus() });
		const attempt = await a.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set() });
		const starting = a.provider.start();
		const order: string[] = [];
		await Promise.all([
			a.coordinator.subscribeToTopic(attempt.ws.data.socketId, 't').then(() => order.push('subscribed')),
			starting.then(() => order.push('started')),
		]);
		expect(order.toSorted()).toEqual(['started', 'subscribed']);

		await b.provider.publish('t', 'heard');
		await a.settled(attempt);
		expect(messagesOf(attempt)).toEqual(['heard']);
	});

	it('start resolves only once the topics of the sockets are subscribed', async () => {
		const inner = new MemoryBackend().createBus();
		const held = Promise.withResolvers<void>();
		const oneByOne: Bus = {
			start: (handlers) => inner.start(handlers),
			stop: () => inner.stop(),
			unsubscribe: (topics) => inner.unsubscribe(topics),
			publish: (topic, frame) => inner.publish(topic, frame),
			async subscribe(topics) {
				if (topics.length > 1) throw new Error('one topic at a time');
				if (topics[0] === 't') await held.promise;
				await inner.subscribe(topics);
			},
		};
		const node = await openNode({ bus: oneByOne, start: false });
		await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['t']) });
		let started = false;
		const starting = node.provider.start().then(() => (started = true));
		await ticks(20);
		expect(started).toBe(false);

		held.resolve();
		await starting;
	});

	it('a second start returns the promise of the first', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus, start: false });
		const starting = node.provider.start();
		expect(node.provider.start()).toBe(starting);
		await starting;
		await node.provider.start();

		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['*', `!${node.provider.nodeId}`] }]);
	});

	it('nothing can be sent while starting', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus(), start: false });
		const starting = node.provider.start();

		await expect(node.provider.publish('t', 'x')).rejects.toThrow(ProviderNotStartedError);
		await starting;
		await node.provider.publish('t', 'x');
	});
});

describe('a start that fails', () => {
	it('rejects with the reason of the bus, and can be retried with everything subscribed so far', async () => {
		const backend = new MemoryBackend();
		const bus = new WatchedBus(backend.createBus());
		const node = await openNode({ bus, start: false });
		const other = await openNode({ bus: backend.createBus() });
		bus.startFault = new Error('backend unreachable');
		await expect(node.provider.start()).rejects.toBe(bus.startFault);
		await expect(node.provider.publish('t', 'x')).rejects.toThrow(ProviderNotStartedError);

		bus.startFault = undefined;
		await node.provider.start();
		const member = await node.connect({ topics: new Set(['t']) });
		await other.provider.publish('t', 'arrives');
		await node.settled(member);
		expect(messagesOf(member)).toEqual(['arrives']);
	});

	it('rejects the promises that waited for it', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		bus.startFault = new Error('backend unreachable');
		const node = await openNode({ bus, start: false });
		const { added } = await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['t']) });
		await node.provider.start().catch(() => {});

		await expect(added).rejects.toBe(bus.startFault);
	});

	it('because broadcast is refused rejects and releases the backend', async () => {
		const backend = new MemoryBackend();
		const bus = new WatchedBus(backend.createBus());
		bus.refused.add('*');
		const node = await openNode({ bus, start: false });
		await expect(node.provider.start()).rejects.toThrow('refused: *');
		await expect(bus.publish('t', new Uint8Array())).rejects.toThrow('not started');

		bus.refused.clear();
		await node.provider.start();
		await node.provider.broadcast('x');
	});

	it('loses a refused topic, but not the others', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		bus.refused.add('bad');
		const node = await openNode({ bus, start: false });
		const { ws, added } = await node.attempt({
			socketId: crypto.randomUUID(),
			data: {},
			topics: new Set(['bad', 'good']),
		});
		await node.provider.start();

		await expect(added).rejects.toThrow('Subscribing to "bad" failed and was rolled back: refused: bad');
		expect([...ws.data.topics]).toEqual(['good']);
		expect(bus.subscribed).toContain('good');
	});
});

describe('stop', () => {
	it('sends pending messages first', async () => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus() });
		const b = await openNode({ bus: backend.createBus() });
		const member = await b.connect({ topics: new Set(['t']) });
		const publishing = a.provider.publish('t', 'the last one');
		await a.provider.stop();
		await publishing;
		await b.settled(member);

		expect(messagesOf(member)).toEqual(['the last one']);
	});

	it('rejects subscriptions that the backend has not confirmed', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		const member = await node.connect();
		const answer = bus.hang();
		const subscribing = node.coordinator.subscribeToTopic(member.id, 't');
		await ticks(3);
		const stopping = node.provider.stop();

		await expect(subscribing).rejects.toThrow(ProviderStoppedError);
		await stopping;
		answer();
	});

	it('does not wait forever for a backend that hangs', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		const answer = bus.hang();
		void node.provider.publish('t', 'never answered');
		await node.provider.stop();
		answer();

		await expect(bus.publish('t', new Uint8Array())).rejects.toThrow('not started');
	});

	it('rejects promises that wait for a start that never came', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus(), start: false });
		const { added } = await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set() });
		await node.provider.stop();

		await expect(added).rejects.toThrow(ProviderStoppedError);
	});

	it('is idempotent, even before start', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus(), start: false });
		await Promise.all([node.provider.stop(), node.provider.stop()]);
		await node.provider.stop();
		await node.provider.start();
		await node.provider.publish('t', 'x');
		await Promise.all([node.provider.stop(), node.provider.stop()]);
		await node.provider.stop();

		expect(node.log.problems).toEqual([]);
	});

	it('leaves sockets open, and forgets those that close', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus() });
		const member = await node.connect({ topics: new Set(['t']) });
		await node.provider.stop();
		await node.settled(member);
		expect(node.provider.isConnected(member.id)).toBe(true);

		await member.client.close();
		await until(() => !node.provider.isConnected(member.id), { what: 'the node sees the close' });
		expect(node.provider.getTopicCount()).toBe(0);
	});

	it('during start ends it: start rejects and nothing keeps running', async () => {
		const backend = new MemoryBackend();
		const bus = new WatchedBus(backend.createBus());
		const node = await openNode({ bus, start: false });
		const starting = node.provider.start().then(
			() => 'started',
			(reason: unknown) => reason,
		);
		await Promise.resolve();
		await Promise.resolve();
		await node.provider.stop();

		expect(await starting).toBeInstanceOf(ProviderStoppedError);
		await expect(node.provider.publish('t', 'x')).rejects.toThrow(ProviderStoppedError);
		await expect(bus.publish('t', new Uint8Array())).rejects.toThrow('not started');
	});

	it('in the same tick as start ends it as well', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus, start: false });
		const starting = node.provider.start().then(
			() => 'started',
			(reason: unknown) => reason,
		);
		await node.provider.stop();

		expect(await starting).toBeInstanceOf(ProviderStoppedError);
		await expect(node.provider.publish('t', 'x')).rejects.toThrow(ProviderStoppedError);
		await expect(bus.publish('t', new Uint8Array())).rejects.toThrow('not started');
	});

	it('called while a restart waits for an earlier stop cancels that restart', async () => {
		const node = await openNode({ bus: new MemoryBackend().createBus() });
		const stopping = node.provider.stop();
		const restarting = node.provider.start().then(
			() => 'started',
			(reason: unknown) => reason,
		);
		await Promise.all([stopping, node.provider.stop()]);

		expect(await restarting).toBeInstanceOf(ProviderStoppedError);
		await expect(node.provider.publish('t', 'x')).rejects.toThrow(ProviderStoppedError);
	});
});

describe('start after stop', () => {
	it('works with the sockets that stayed connected, each message once', async () => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus() });
		const b = await openNode({ bus: backend.createBus() });
		const member = await a.connect({ topics: new Set(['t']) });
		for (let i = 0; i < 3; i++) {
			await a.provider.stop();
			await b.provider.publish('t', 'while it was stopped');
			await a.provider.start();
			await b.provider.publish('t', `topic ${i}`);
			await b.provider.send(member.id, `direct ${i}`);
			await b.provider.broadcast(`broadcast ${i}`);
			await a.provider.publish('t', `own ${i}`);
			await a.settled(member);
		}

		expect(messagesOf(member)).toEqual(
			[0, 1, 2].flatMap((i) => [`topic ${i}`, `direct ${i}`, `broadcast ${i}`, `own ${i}`]),
		);
	});

	it('includes a socket that connected in between, with its topics', async () => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus() });
		const b = await openNode({ bus: backend.createBus() });
		await a.provider.stop();
		const attempt = await a.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['t']) });
		await a.provider.start();
		await b.provider.send(attempt.ws.data.socketId, 'direct');
		await b.provider.publish('t', 'topic');
		await a.settled(attempt);

		expect(messagesOf(attempt)).toEqual(['direct', 'topic']);
	});

	it('keeps nothing of what was pending at the stop', async () => {
		const backend = new MemoryBackend();
		const other = backend.createBus();
		await other.start(silentHandlers);
		const node = await openNode({ bus: backend.createBus() });
		const member = await node.connect();
		const joining = ['t', 'u'].map((topic) => node.coordinator.subscribeToTopic(member.id, topic));
		await nextTick();
		await node.provider.stop();
		for (const { status } of await Promise.allSettled(joining)) expect(status).toBe('rejected');
		member.ws.close();
		await node.provider.start();

		expect(await other.publish('*', new Uint8Array([0]))).toBe(1);
		expect(await other.publish('t', new Uint8Array([0]))).toBe(0);
	});

	it('works right after stop, without waiting for it', async () => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus() });
		const b = await openNode({ bus: backend.createBus() });
		const member = await a.connect({ topics: new Set(['t']) });
		const stopping = a.provider.stop();
		await a.provider.start();
		await stopping;
		await b.provider.publish('t', 'once');
		await b.provider.broadcast('to all');
		await a.settled(member);

		expect(messagesOf(member)).toEqual(['once', 'to all']);
	});
});
