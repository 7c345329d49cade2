import { byId, make } from '@orijs/examples-shared/element';
import type { Member } from './member.ts';

const line = byId('typing', HTMLElement);
let drawn = '';

/** Shows who of the others is typing. */
export function showTyping(others: readonly Member[]): void {
	const typing = others.filter((member) => member.typing).map(({ name }) => name);
	// Skips drawing if nothing has changed, so that the dots keep moving.
	const now = JSON.stringify(typing);
	if (now === drawn) return;
	drawn = now;
	const names = typing.map((name) => make('bdi', 'name', name));
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
