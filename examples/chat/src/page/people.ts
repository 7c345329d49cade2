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

/** Who is in the room on one node. */
export function hearWhoIsHere(said: NodeList): void {
	lists.hear(said, performance.now());
	draw();
}

/** One is no longer connected to this node, and may have missed that it is gone; if it is not, it says so with its next beat. */
export function forgetNode(id: string): void {
	lists.forget(id);
	draw();
}

/** Which of them is oneself. */
export function thisIsYou(id: string): void {
	you = id;
	draw();
}

/** Nothing is known of the people: another room. */
export function clearPeople(): void {
	lists.clear();
	draw();
}

function draw(): void {
	const { people } = lists;
	// Beats mostly say what is there already.
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
