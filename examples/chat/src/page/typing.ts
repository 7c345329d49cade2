import { type Person, Type, TYPING_EVERY_MS, TYPING_LIVES_MS } from '../messages.ts';
import { client } from './client.ts';
import { byId, make } from '@orijs/examples-shared/element';

const line = byId('typing', HTMLElement);
const typing = new Map<string, { readonly name: string; readonly timer: ReturnType<typeof setTimeout> }>();
let toldAt = -Infinity;

/** Tells the others that this visitor is typing, but not on every key press. */
export function tellTyping(room: string): void {
	if (performance.now() - toldAt < TYPING_EVERY_MS) return;
	toldAt = performance.now();
	// Not queued, because a late notice would be worse than a missing one. If it fails, nothing is lost.
	client.send(Type, { room }, { queue: false }).catch(() => {});
}

/** Called when a message was sent: the next key press starts another message. */
export function doneTyping(): void {
	toldAt = -Infinity;
}

export function hearTyping({ id, name }: Person): void {
	clearTimeout(typing.get(id)?.timer);
	typing.set(id, { name, timer: setTimeout(() => stopsTyping(id), TYPING_LIVES_MS) });
	draw();
}

export function stopsTyping(id: string): void {
	clearTimeout(typing.get(id)?.timer);
	if (typing.delete(id)) draw();
}

export function clearTyping(): void {
	for (const { timer } of typing.values()) clearTimeout(timer);
	typing.clear();
	draw();
}

function draw(): void {
	const names = [...typing.values()].map(({ name }) => make('bdi', 'name', name));
	const [first, second] = names;
	if (first === undefined) line.replaceChildren();
	else if (second === undefined) line.replaceChildren(first, ' is typing', dots());
	else if (names.length === 2) line.replaceChildren(first, ' and ', second, ' are typing', dots());
	else line.replaceChildren('Several people are typing', dots());
}

function dots(): HTMLElement {
	const element = make('span', 'dots', make('i', ''), make('i', ''), make('i', ''));
	element.ariaHidden = 'true';
	return element;
}
