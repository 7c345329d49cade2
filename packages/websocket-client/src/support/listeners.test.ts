import { expect, it } from 'vitest';
import { Listeners } from './listeners.ts';

it('all listeners hear everything in the same order, even what a listener causes', () => {
	const heard: string[] = [];
	const listeners = new Listeners<[number]>(() => {});
	listeners.add((n) => {
		heard.push(`a${n}`);
		if (n === 1) {
			listeners.call(2);
			listeners.call(3);
		}
		if (n === 2) listeners.call(4);
	});
	listeners.add((n) => heard.push(`b${n}`));
	listeners.call(1);
	expect(heard).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'b4']);
});

it('a listener does not hear what was caused before it was added, or what it was removed before hearing', () => {
	const heard: string[] = [];
	const listeners = new Listeners<[number]>(() => {});
	listeners.add((n) => {
		heard.push(`a${n}`);
		if (n > 1) return;
		listeners.call(2);
		listeners.add((later) => heard.push(`c${later}`));
		removeB();
	});
	const removeB = listeners.add((n) => heard.push(`b${n}`));
	listeners.call(1);
	listeners.call(3);
	expect(heard).toEqual(['a1', 'a2', 'a3', 'c3']);
});

it('a listener that throws or rejects does not change the order, or what the others hear', async () => {
	const heard: unknown[] = [];
	const listeners = new Listeners<[number]>((thrown) => heard.push(thrown));
	listeners.add((n) => {
		if (n === 1) listeners.call(2);
		throw `thrown ${n}`;
	});
	listeners.add((n) => heard.push(n));
	listeners.add((n) => Promise.reject(`rejected ${n}`));
	listeners.call(1);
	await Promise.resolve();
	expect(heard).toEqual(['thrown 1', 1, 'thrown 2', 2, 'rejected 1', 'rejected 2']);
});
