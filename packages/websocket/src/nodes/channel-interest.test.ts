import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SubscribeError } from '../errors.ts';
import { type InterestFixture, interestOnBus } from '../test-support/channel-interest-fixture.ts';
import { ticks } from '../test-support/ticks.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';

async function openInterest(graceMs = 0): Promise<InterestFixture> {
	const fixture = await interestOnBus(graceMs);
	fixture.interest.open();
	onTestFinished(() => fixture.interest.close(new Error('the test is over')));
	return fixture;
}

describe('channel interest', () => {
	it('sends subscribes of one tick in one call, and unsubscribes too', async () => {
		const { bus, interest } = await openInterest();
		await Promise.all([interest.subscribe('a'), interest.subscribe('b'), interest.subscribe('c')]);
		for (const channel of ['a', 'b', 'c']) interest.unsubscribe(channel);
		await ticks(3);

		expect(bus.calls).toEqual([
			{ call: 'subscribe', channels: ['a', 'b', 'c'] },
			{ call: 'unsubscribe', channels: ['a', 'b', 'c'] },
		]);
	});

	it('asks for nothing before it is open, and then for everything needed', async () => {
		const { bus, interest } = await interestOnBus();
		const wanted = Promise.all([interest.subscribe('a'), interest.subscribe('b')]);
		await ticks(3);
		expect(bus.calls).toEqual([]);

		interest.open();
		await wanted;
		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a', 'b'] }]);
	});

	it('is confirmed only once the backend has answered', async () => {
		const { bus, interest } = await openInterest();
		const answer = bus.hang();
		let granted = false;
		const asked = interest.subscribe('a').then(() => (granted = true));
		await ticks(10);
		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a'] }]);
		expect(granted).toBe(false);

		answer();
		await asked;
	});

	it('shares a promise and a call between two callers of one pending channel', async () => {
		const { bus, interest } = await openInterest();
		const first = interest.subscribe('a');
		expect(interest.subscribe('a')).toBe(first);
		await ticks(1);
		expect(interest.subscribe('a')).toBe(first);
		await first;
		await interest.subscribe('a');

		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a'] }]);
	});

	it('that is undone within its tick costs no call, and its promise settles', async () => {
		const { bus, interest } = await openInterest();
		const given = interest.subscribe('a');
		interest.unsubscribe('a');
		await given;
		await ticks(3);

		expect(bus.calls).toEqual([]);
	});

	it('that is undone and redone within its tick is one subscribe', async () => {
		const { bus, interest } = await openInterest();
		const first = interest.subscribe('a');
		interest.unsubscribe('a');
		await Promise.all([first, interest.subscribe('a')]);

		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a'] }]);
	});

	it('that is undone while the backend is being asked is unsubscribed once it has answered', async () => {
		const { bus, interest } = await openInterest();
		const answer = bus.hang();
		const asked = interest.subscribe('a');
		await ticks(2);
		interest.unsubscribe('a');
		answer();
		await asked;
		await ticks(2);

		expect(bus.calls.map(({ call }) => call)).toEqual(['subscribe', 'unsubscribe']);
		expect([...bus.subscribed]).toEqual([]);
	});

	it('that is undone and redone while the backend is being asked stays', async () => {
		const { bus, interest } = await openInterest();
		const answer = bus.hang();
		const first = interest.subscribe('a');
		await ticks(2);
		interest.unsubscribe('a');
		const second = interest.subscribe('a');
		answer();
		await Promise.all([first, second]);
		await ticks(3);

		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a'] }]);
	});

	it('that is undone and redone in one tick ends up subscribed', async () => {
		const { bus, interest } = await openInterest();
		await interest.subscribe('a');
		interest.unsubscribe('a');
		await interest.subscribe('a');
		await ticks(3);

		expect([...bus.subscribed]).toEqual(['a']);
	});

	it('ends up unsubscribed after subscribe, unsubscribe, subscribe, unsubscribe', async () => {
		const { bus, interest } = await openInterest();
		for (let i = 0; i < 2; i++) {
			await interest.subscribe('a');
			interest.unsubscribe('a');
			await ticks(i);
		}
		await ticks(3);

		expect([...bus.subscribed]).toEqual([]);
	});

	it('may be undone without ever having existed', async () => {
		const { bus, interest } = await openInterest();
		interest.unsubscribe('never');
		await ticks(3);

		expect(bus.calls).toEqual([]);
	});
});

describe('a refused channel', () => {
	it('rejects for all its callers and is reported, while the others of its tick succeed', async () => {
		const { bus, interest, refusals } = await openInterest();
		bus.refused.add('bad');
		const [good, bad, again, other] = ['good', 'bad', 'bad', 'other'].map((channel) => interest.subscribe(channel));

		await Promise.all([good, other]);
		const error = await bad?.catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(SubscribeError);
		expect(error).toMatchObject({ topic: 'bad', cause: { message: 'refused: bad' } });
		expect(await again?.catch((thrown: unknown) => thrown)).toBe(error);
		expect(refusals).toEqual([['bad', error]]);
		expect([...bus.subscribed].toSorted()).toEqual(['good', 'other']);
	});

	it('is asked for again by the next caller', async () => {
		const { bus, interest } = await openInterest();
		bus.refused.add('a');
		await expect(interest.subscribe('a')).rejects.toThrow(SubscribeError);
		bus.refused.clear();
		await interest.subscribe('a');

		expect([...bus.subscribed]).toEqual(['a']);
	});

	it("is reported before its callers' promises reject, so that they find it rolled back", async () => {
		const { bus, interest, refusals } = await openInterest();
		bus.refused.add('a');
		await interest.subscribe('a').catch(() => expect(refusals).toHaveLength(1));
		expect.assertions(1);
	});

	it('causes no unhandled rejection when the promise is ignored', async () => {
		const watch = watchUnhandledRejections();
		const { bus, interest, refusals } = await openInterest();
		bus.refused.add('a');
		void interest.subscribe('a');
		void interest.subscribe('b');
		await interest.subscribe('c');
		await ticks(5);

		expect(refusals.map(([channel]) => channel)).toEqual(['a']);
		expect(await watch.seen()).toEqual([]);
	});
});

describe('a live channel that the backend begins to refuse', () => {
	const lost = (cause: string): string =>
		`"a" could not be resubscribed; this node misses messages from other nodes until a retry succeeds: ${cause}`;

	it('is retried, and each failure reports the time since the last one', async () => {
		const { bus, interest, refusals, losses } = await openInterest();
		await interest.subscribe('a');
		bus.refused.add('a');
		interest.refused('a', 0, new Error('no'));
		expect(losses.splice(0)).toEqual([['a', lost('no')]]);
		expect(interest.isLive('a')).toBe(false);
		const again = interest.subscribe('a');
		await until(() => losses.length === 1, { what: 'it is refused again' });
		expect(losses.splice(0)).toEqual([['a', lost('refused: a')]]);

		bus.refused.clear();
		await again;
		expect(losses).toEqual([['a', undefined]]);
		expect(interest.isLive('a')).toBe(true);
		expect(refusals).toEqual([]);
	});

	it('is not retried when it is not needed', async () => {
		const { bus, interest, losses } = await openInterest(1_000);
		await Promise.all(['left', 'lingers', 'a'].map((channel) => interest.subscribe(channel)));
		interest.refused('left', 0, new Error('no'));
		interest.unsubscribe('left');
		interest.unsubscribe('lingers');
		interest.refused('lingers', 0, new Error('no'));
		interest.refused('a', 0, new Error('no'));
		bus.calls.length = 0;
		await until(() => losses.length === 3, { what: 'the other one is live again' });

		expect(losses.map(([channel]) => channel)).toEqual(['left', 'a', 'a']);
		expect(bus.calls.map(({ channels }) => channels)).toEqual([['a']]);
	});

	it('is forgotten when it is unsubscribed during a retry that is refused', async () => {
		const { bus, interest, losses } = await openInterest();
		await interest.subscribe('a');
		bus.refused.add('a');
		interest.refused('a', 0, new Error('no'));
		const answer = bus.hang();
		bus.calls.length = 0;
		await until(() => bus.calls.length === 1, { what: 'it is retried' });
		interest.unsubscribe('a');
		answer();
		await ticks(3);
		expect(losses).toEqual([['a', lost('no')]]);

		bus.refused.clear();
		bus.calls.length = 0;
		await interest.subscribe('a');
		expect(bus.calls).toEqual([{ call: 'subscribe', channels: ['a'] }]);
		expect(interest.isLive('a')).toBe(true);
	});

	it('ends with close, as do the promises waiting for it', async () => {
		const { bus, interest } = await openInterest();
		await interest.subscribe('a');
		interest.refused('a', 0, new Error('no'));
		const waiting = interest.subscribe('a');
		const reason = new Error('over');
		interest.close(reason);

		await expect(waiting).rejects.toBe(reason);
		expect(bus.calls).toHaveLength(1);
	});
});

describe('closing', () => {
	it('rejects pending promises with the reason, whether the backend was asked yet or not', async () => {
		const { bus, interest } = await openInterest();
		bus.hang();
		const asked = interest.subscribe('asked');
		await ticks(2);
		const waiting = interest.subscribe('waiting');
		const reason = new Error('over');
		interest.close(reason);

		await expect(asked).rejects.toBe(reason);
		await expect(waiting).rejects.toBe(reason);
		await ticks(3);
		expect(bus.calls.map(({ channels }) => channels)).toEqual([['asked']]);
	});

	it('forgets everything: after opening again a channel is subscribed again', async () => {
		const { bus, interest } = await openInterest();
		await interest.subscribe('a');
		interest.close(new Error('over'));
		interest.open();
		await interest.subscribe('a');

		expect(bus.calls).toEqual([
			{ call: 'subscribe', channels: ['a'] },
			{ call: 'subscribe', channels: ['a'] },
		]);
	});

	it('an answer that arrives afterwards does not count for a later call', async () => {
		const { bus, interest } = await openInterest();
		const answer = bus.hang();
		interest.subscribe('a').catch(() => {});
		await ticks(2);
		interest.close(new Error('over'));
		let granted = false;
		const anew = interest.subscribe('a').then(() => (granted = true));
		answer();
		await ticks(5);
		expect(granted).toBe(false);

		interest.open();
		await anew;
	});

	it('a refusal that arrives afterwards does not count against a later call', async () => {
		const { bus, interest, refusals } = await openInterest();
		bus.refused.add('a');
		const answer = bus.hang();
		interest.subscribe('a').catch(() => {});
		await ticks(2);
		interest.close(new Error('over'));
		bus.refused.clear();
		const anew = interest.subscribe('a');
		answer();
		await ticks(5);
		interest.open();
		await anew;

		expect(refusals).toEqual([]);
	});
});

it('a failing unsubscribe is reported, and harms nothing', async () => {
	const { bus, interest, errors } = await openInterest();
	await interest.subscribe('a');
	const failing = Object.assign(bus, { unsubscribe: () => Promise.reject(new Error('backend away')) });
	interest.unsubscribe('a');
	await ticks(3);

	expect(failing.calls).toHaveLength(1);
	expect(errors.map(({ message }) => message)).toEqual(['backend away']);
});
