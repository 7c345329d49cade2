import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type InterestFixture, interestOnBus } from '../test-support/channel-interest-fixture.ts';

const GRACE_MS = 1_000;

/** The clock stands still but for what a test lets pass. */
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

describe('a channel that nobody wants any more', () => {
	it('is kept for the grace, then let go', async () => {
		const { bus, interest } = await withLive('a');
		interest.unsubscribe('a');
		await pass(GRACE_MS - 1);
		expect([...bus.subscribed]).toEqual(['a']);

		await pass(2);
		expect([...bus.subscribed]).toEqual([]);
	});

	it('costs no call when it is wanted again within the grace, and is then kept for good', async () => {
		const { bus, interest } = await withLive('a');
		interest.unsubscribe('a');
		await pass(GRACE_MS - 1);
		await interest.subscribe('a');
		await pass(10 * GRACE_MS);

		expect(bus.calls).toEqual([{ call: 'subscribe', topics: ['a'] }]);
	});

	it('gets a whole grace each time it empties', async () => {
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

	it('is let go in its own time, whatever the others do', async () => {
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

	it('can be let go at once', async () => {
		const { bus, interest } = await withLive('a', 'b');
		interest.unsubscribe('a', 0);
		await pass(1);

		expect([...bus.subscribed]).toEqual(['b']);
	});

	it('that is let go at once within its grace, and wanted again, is not let go by what is left of the grace', async () => {
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

	it('gets its grace also when it was given up while the backend was being asked', async () => {
		const { bus, interest } = await withLive();
		const answer = bus.hang();
		const asked = interest.subscribe('a');
		await pass(2);
		interest.unsubscribe('a');
		await pass(2 * GRACE_MS);
		answer();
		await pass(2);
		await asked;
		await pass(GRACE_MS - 5);
		expect([...bus.subscribed]).toEqual(['a']);

		await pass(10);
		expect([...bus.subscribed]).toEqual([]);
	});

	it('that was let go is asked for anew when it is wanted again', async () => {
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
	it('no timer is left, whatever was under way', async () => {
		const { interest } = await withLive('a', 'b');
		interest.unsubscribe('a');
		interest.unsubscribe('b', 0);
		interest.subscribe('c').catch(() => {});
		expect(vi.getTimerCount()).toBeGreaterThan(1);

		interest.close(new Error('over'));
		expect(vi.getTimerCount()).toBe(0);
	});

	it('what comes late sets no timer and makes no call', async () => {
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
		expect(bus.calls.map(({ topics }) => topics)).toEqual([['a'], ['asked']]);
	});
});
