import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type InterestFixture, interestOnBus } from '../test-support/channel-interest-fixture.ts';

const GRACE_MS = 1_000;

/** Fake timers: the clock only advances when a test says so. */
beforeEach(() => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] });
	onTestFinished(() => {
		vi.useRealTimers();
	});
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function withLive(...channels: string[]): Promise<InterestFixture> {
	const preparing = interestOnBus(GRACE_MS);
	await pass(5);
	const fixture = await preparing;
	fixture.interest.open();
	const live = Promise.all(channels.map((channel) => fixture.interest.subscribe(channel)));
	await pass(5);
	await live;
	return fixture;
}

describe('a channel that is no longer needed', () => {
	it('stays subscribed for the grace period, then is unsubscribed', async () => {
		const { bus, interest } = await withLive('a');
		interest.unsubscribe('a');
		await pass(GRACE_MS - 1);
		expect([...bus.subscribed]).toEqual(['a']);

		await pass(2);
		expect([...bus.subscribed]).toEqual([]);
	});

	it('costs no call when it is needed again within the grace period, and then stays', async () => {
		const { bus, interest } = await withLive('a');
		interest.unsubscribe('a');
		await pass(GRACE_MS - 1);
		await interest.subscribe('a');
		await pass(10 * GRACE_MS);

		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a'] }]);
	});

	it('gets a full grace period each time', async () => {
		const { bus, interest } = await withLive('a');
		for (let i = 0; i < 5; i++) {
			interest.unsubscribe('a');
			await pass(GRACE_MS - 10);
			await interest.subscribe('a');
		}
		interest.unsubscribe('a');
		await pass(GRACE_MS - 1);
		expect([...bus.subscribed]).toEqual(['a']);

		await pass(2);
		expect([...bus.subscribed]).toEqual([]);
	});

	it('is unsubscribed when its own grace period ends, whatever the others do', async () => {
		const { bus, interest } = await withLive('a', 'b', 'c');
		interest.unsubscribe('a');
		await pass(300);
		interest.unsubscribe('b');
		await pass(300);
		interest.unsubscribe('c');
		await interest.subscribe('a');

		await pass(699);
		expect([...bus.subscribed]).toEqual(['a', 'b', 'c']);
		await pass(2);
		expect([...bus.subscribed]).toEqual(['a', 'c']);
		await pass(297);
		expect([...bus.subscribed]).toEqual(['a', 'c']);
		await pass(4);
		expect([...bus.subscribed]).toEqual(['a']);
	});

	it('can be unsubscribed at once', async () => {
		const { bus, interest } = await withLive('a', 'b');
		interest.unsubscribe('a', 0);
		await pass(1);

		expect([...bus.subscribed]).toEqual(['b']);
	});

	it('that is unsubscribed at once within its grace period and subscribed again does not end with the old grace period', async () => {
		const { bus, interest } = await withLive('a');
		interest.unsubscribe('a');
		await pass(500);
		interest.unsubscribe('a', 0);
		await pass(1);
		const anew = interest.subscribe('a');
		await pass(2 * GRACE_MS);
		await anew;

		expect([...bus.subscribed]).toEqual(['a']);
	});

	it('gets its grace period even if it was unsubscribed while the backend was being asked', async () => {
		const { bus, interest } = await withLive();
		const answer = bus.hang();
		const asked = interest.subscribe('a');
		await pass(2);
		interest.unsubscribe('a');
		answer();
		await asked;
		await pass(GRACE_MS - 5);
		expect([...bus.subscribed]).toEqual(['a']);

		await pass(10);
		expect([...bus.subscribed]).toEqual([]);
	});

	it('is dropped after its grace period although the backend has not answered; the answer changes nothing', async () => {
		const { bus, interest } = await withLive();
		const answer = bus.hang();
		const asked = interest.subscribe('a');
		await pass(2);
		interest.unsubscribe('a');
		await pass(GRACE_MS + 5);
		await asked;
		expect(bus.calls.map(({ call }) => call)).toEqual(['subscribe', 'unsubscribe']);

		answer();
		await pass(2 * GRACE_MS);
		expect([interest.isLive('a'), bus.calls.length]).toEqual([false, 2]);
	});

	it('that was unsubscribed is subscribed again when it is needed again', async () => {
		const { bus, interest } = await withLive('a');
		interest.unsubscribe('a');
		await pass(GRACE_MS + 5);
		const anew = interest.subscribe('a');
		await pass(5);
		await anew;

		expect(bus.calls.map(({ call }) => call)).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
	});
});

describe('after close', () => {
	it('no timer is left, whatever was pending', async () => {
		const { interest } = await withLive('a', 'b');
		interest.unsubscribe('a');
		interest.unsubscribe('b', 0);
		interest.subscribe('c').catch(() => {});
		expect(vi.getTimerCount()).toBeGreaterThan(1);

		interest.close(new Error('over'));
		expect(vi.getTimerCount()).toBe(0);
	});

	it('late answers set no timer and make no call', async () => {
		const { bus, interest } = await withLive('a');
		const answer = bus.hang();
		interest.subscribe('asked').catch(() => {});
		await pass(2);
		interest.unsubscribe('asked');
		interest.close(new Error('over'));
		answer();
		interest.unsubscribe('a');
		interest.subscribe('later').catch(() => {});
		interest.unsubscribe('later');
		await pass(5);

		expect(vi.getTimerCount()).toBe(0);
		expect(bus.calls.map(({ channels }) => channels)).toEqual([['a'], ['asked']]);
	});
});
