import { expect, it } from 'vitest';
import { FrameRecorder } from './frame-recorder.ts';
import { MemoryBackend } from './index.ts';

const frame = new Uint8Array([1]);

it('a subscribe that was refused because the bus was not started leaves nothing behind', async () => {
	const backend = new MemoryBackend();
	const [bus, other] = [backend.createBus(), backend.createBus()];
	await other.start(new FrameRecorder());
	await expect(bus.subscribe(['t'])).rejects.toThrow('not started');
	await bus.start(new FrameRecorder());

	expect(await other.publish('t', frame)).toBe(0);
});

it('a stop that comes during start leaves a bus that is not started and says nothing any more', async () => {
	const backend = new MemoryBackend();
	const bus = backend.createBus();
	const seen = new FrameRecorder();
	const starting = bus.start(seen).catch(() => {});
	await bus.stop();
	await starting;

	await expect(bus.publish('t', frame)).rejects.toThrow('not started');
	expect(seen.statuses).toEqual([]);
});
