import { expect, it } from 'vitest';
import { BusRecorder } from './bus-recorder.ts';
import { MemoryBackend } from './index.ts';

const frame = new Uint8Array([1]);

it('a subscribe that was rejected before start leaves no subscription behind', async () => {
	const backend = new MemoryBackend();
	const [bus, other] = [backend.createBus(), backend.createBus()];
	await other.start(new BusRecorder());
	await expect(bus.subscribe(['t'])).rejects.toThrow('not started');
	await bus.start(new BusRecorder());

	expect(await other.publish('t', frame)).toBe(0);
});

it('a stop during start leaves a stopped bus that reports no status', async () => {
	const backend = new MemoryBackend();
	const bus = backend.createBus();
	const received = new BusRecorder();
	const starting = bus.start(received).catch(() => {});
	await bus.stop();
	await starting;

	await expect(bus.publish('t', frame)).rejects.toThrow('not started');
	expect(received.statuses).toEqual([]);
});

it('a bus of another backend cannot be cut', () => {
	const bus = new MemoryBackend().createBus();
	const backend = new MemoryBackend();
	expect(() => backend.cut(bus)).toThrow(TypeError);
	expect(() => backend.cut({ ...backend.createBus() })).toThrow("this backend's createBus()");
});

it('a start while the link is cut rejects, and succeeds once it is restored', async () => {
	const backend = new MemoryBackend();
	const bus = backend.createBus();
	backend.cut(bus);
	await expect(bus.start(new BusRecorder())).rejects.toThrow('unreachable');
	backend.restore(bus);
	const received = new BusRecorder();
	await bus.start(received);

	expect(received.statuses).toEqual([{ state: 'ready' }]);
	expect(received.interruptions).toEqual([]);
});
