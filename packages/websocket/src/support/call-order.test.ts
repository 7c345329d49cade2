import { describe, expect, it } from 'vitest';
import { CallOrder } from './call-order.ts';

describe('calls in order', () => {
	it('go on at once while none waits', () => {
		const order = new CallOrder<string>();
		expect(order.run('a', 1, (value) => value + 1)).toBe(2);
	});

	it('wait for earlier calls of their key only, whichever value comes first', async () => {
		const order = new CallOrder<string>();
		const slow = Promise.withResolvers<number>();
		const went: string[] = [];
		const go = (name: string) => (): string => {
			went.push(name);
			return name;
		};
		const calls = [
			order.run('a', slow.promise, go('a1')),
			order.run('a', Promise.resolve(0), go('a2')),
			order.run('a', 0, go('a3')),
			order.run('b', 0, go('b')),
		];
		await Promise.resolve();
		expect([went, order.isWaiting('a'), order.isWaiting('b')]).toEqual([['b'], true, false]);
		slow.resolve(0);

		expect(await Promise.all(calls.map(async (call) => await call))).toEqual(['a1', 'a2', 'a3', 'b']);
		expect(went).toEqual(['b', 'a1', 'a2', 'a3']);
	});

	it('do not wait for the results of earlier calls', async () => {
		const order = new CallOrder<string>();
		const never = order.run('a', Promise.resolve(0), () => new Promise<void>(() => {}));
		expect(await order.run('a', 0, () => 'second')).toBe('second');
		expect(never).toBeInstanceOf(Promise);
	});

	it('go on after one that fails, which rejects', async () => {
		const order = new CallOrder<string>();
		const failed = order.run('a', Promise.reject(new Error('bad data')), () => 'unreached');
		const thrown = order.run('a', 0, () => {
			throw new Error('not sent');
		});
		const next = order.run('a', 0, () => 'next');

		await expect(failed).rejects.toThrow('bad data');
		await expect(thrown).rejects.toThrow('not sent');
		expect(await next).toBe('next');
		expect(order.run('a', 0, () => 'nothing waits any longer')).toBe('nothing waits any longer');
	});
});
