import fc from 'fast-check';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { interestOnBus } from '../test-support/channel-interest-fixture.ts';

const GRACE_MS = 100;

beforeEach(() => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] });
	onTestFinished(() => {
		vi.useRealTimers();
	});
});

const channels = ['a', 'b', 'c', 'd'];

const step = fc.oneof(
	fc.record({ op: fc.constant('toggle' as const), channel: fc.constantFrom(...channels) }),
	fc.record({ op: fc.constant('again' as const), channel: fc.constantFrom(...channels) }),
	fc.record({ op: fc.constant('refuse' as const), channel: fc.constantFrom(...channels) }),
	// Waits from less than a tick to longer than the grace period.
	fc.record({ op: fc.constant('pass' as const), ms: fc.constantFrom(0, 0, 1, 1, 5, GRACE_MS - 5, GRACE_MS + 5) }),
	fc.record({ op: fc.constant('hang' as const) }),
);

it('once everything has settled, the backend is subscribed to exactly what is needed', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { maxLength: 50, size: 'max' }),
			fc.constantFrom(0, GRACE_MS),
			async (steps, graceMs) => {
				const preparing = interestOnBus(graceMs);
				await vi.advanceTimersByTimeAsync(5);
				const { bus, interest, refusals, errors } = await preparing;
				interest.open();
				const wanted = new Set<string>();
				const promises = new Set<Promise<unknown>>();
				let answer: (() => void) | undefined;
				let seen = 0;

				const acquire = (channel: string): void => {
					wanted.add(channel);
					promises.add(interest.subscribe(channel).catch(() => {}));
				};
				/** Like a provider, which unsubscribes the sockets from a refused topic. */
				const rollBack = (): void => {
					for (const [channel] of refusals.slice(seen)) wanted.delete(channel);
					seen = refusals.length;
				};

				for (const one of steps) {
					rollBack();
					if (one.op === 'toggle' && wanted.delete(one.channel)) interest.unsubscribe(one.channel);
					else if (one.op === 'toggle') acquire(one.channel);
					else if (one.op === 'again' && wanted.has(one.channel)) acquire(one.channel);
					else if (one.op === 'refuse' && !bus.refused.delete(one.channel)) bus.refused.add(one.channel);
					else if (one.op === 'pass') await vi.advanceTimersByTimeAsync(one.ms);
					else if (one.op === 'hang') {
						answer?.();
						answer = answer === undefined ? bus.hang() : undefined;
					}
				}

				answer?.();
				await vi.advanceTimersByTimeAsync(3 * GRACE_MS);
				await Promise.all(promises);
				rollBack();
				expect([...bus.subscribed].toSorted()).toEqual([...wanted].toSorted());
				expect(errors).toEqual([]);
				expect(vi.getTimerCount()).toBe(0);
			},
		),
		{ numRuns: 300 },
	);
});
