import type { NodeList } from '../messages.ts';
import { byId, make } from '@orijs/examples-shared/element';
import { avatar, nodeSign } from './looks.ts';
import { PeopleByNode } from './people-by-node.ts';

const LOOK_EVERY_MS = 500;

const list = byId('people', HTMLUListElement);
const count = byId('people-count', HTMLElement);
const lists = new PeopleByNode();
let you = '';
let drawn = '';

setInterval(() => {
	if (lists.expire(performance.now())) draw();
}, LOOK_EVERY_MS);

/** Handles a node's list of people in the room. */
export function hearWhoIsHere(said: NodeList): void {
	lists.hear(said, performance.now());
	draw();
}

/**
 * Drops a node's list. This page is no longer connected to the node and may not notice that it stopped; if the node
 * still runs, its next list follows.
 */
export function forgetNode(id: string): void {
	lists.forget(id);
	draw();
}

/** Marks this visitor in the list. */
export function thisIsYou(id: string): void {
	you = id;
	draw();
}

/** Clears the list, before another room is shown. */
export function clearPeople(): void {
	lists.clear();
	draw();
}

function draw(): void {
	const { people } = lists;
	// Skips drawing if nothing has changed, as with most lists.
	const now = JSON.stringify([you, people]);
	if (now === drawn) return;
	drawn = now;
	count.textContent = people.length === 0 ? '' : String(people.length);
	list.replaceChildren(
		...people.map(({ id, name, node }) => {
			const who = make('span', 'who', make('bdi', 'name', name));
			if (id === you) who.append(make('small', '', ' you'));
			return make('li', 'person', avatar(name), who, nodeSign(node));
		}),
	);
}
