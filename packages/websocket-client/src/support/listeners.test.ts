import { expect, it } from 'vitest';
import { Listeners } from './listeners.ts';

it('all listeners receive everything in the same order, even what a listener causes', () => {
	const received: string[] = [];
	const listeners = new Listeners<[number]>(() => {});
	listeners.add((n) => {
		received.push(`a${n}`);
		if (n === 1) {
			listeners.call(2);
			listeners.call(3);
		}
		if (n === 2) listeners.call(4);
	});
	listeners.add((n) => received.push(`b${n}`));
	listeners.call(1);
	expect(received).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'b4']);
});

it('a listener does not receive what was caused before it was added, or after it was removed', () => {
	const received: string[] = [];
	const listeners = new Listeners<[number]>(() => {});
	listeners.add((n) => {
		received.push(`a${n}`);
		if (n > 1) return;
		listeners.call(2);
		listeners.add((later) => received.push(`c${later}`));
		removeB();
	});
	const removeB = listeners.add((n) => received.push(`b${n}`));
	listeners.call(1);
	listeners.call(3);
	expect(received).toEqual(['a1', 'a2', 'a3', 'c3']);
});

it('a listener that throws or rejects does not change the order, or what the others receive', async () => {
	const received: unknown[] = [];
	const listeners = new Listeners<[number]>((thrown) => received.push(thrown));
	listeners.add((n) => {
		if (n === 1) listeners.call(2);
		throw `thrown ${n}`;
	});
	listeners.add((n) => received.push(n));
	listeners.add((n) => Promise.reject(`rejected ${n}`));
	listeners.call(1);
	await Promise.resolve();
	expect(received).toEqual(['thrown 1', 1, 'thrown 2', 2, 'rejected 1', 'rejected 2']);
});
