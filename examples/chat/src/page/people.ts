import type { NodeList } from '../messages.ts';
import { byId, make } from '@orijs/examples-shared/element';
import { avatar, nodeSign } from './looks.ts';
import { PeopleByNode } from './people-by-node.ts';

const LOOK_EVERY_MS = 500;

const list = byId('people', HTMLUListElement);
const count = byId('people-count', HTMLElement);
const lists = new PeopleByNode();
let you = '';
/** Removes a person from the room; undefined if the visitor is no moderator. */
let remove: ((id: string) => void) | undefined;
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

/** Sets what removes a person from the room. Only moderators have that. */
export function mayRemove(removePerson: ((id: string) => void) | undefined): void {
	remove = removePerson;
	draw();
}

/** Clears the list, when the visitor is no longer in the room. */
export function clearPeople(): void {
	lists.clear();
	draw();
}

function draw(): void {
	const { people } = lists;
	// Skips drawing if nothing has changed, as with most lists.
	const now = JSON.stringify([you, remove !== undefined, people]);
	if (now === drawn) return;
	drawn = now;
	count.textContent = people.length === 0 ? '' : String(people.length);
	list.replaceChildren(
		...people.map(({ id, name, node }) => {
			const who = make('span', 'who', make('bdi', 'name', name));
			if (id === you) who.append(make('small', '', ' you'));
			const person = make('li', 'person', avatar(name), who, nodeSign(node));
			if (remove !== undefined && id !== you) person.append(removeButton(id, name));
			return person;
		}),
	);
}

function removeButton(id: string, name: string): HTMLButtonElement {
	const button = make('button', 'remove', '✕');
	button.type = 'button';
	button.ariaLabel = `Remove ${name} from this room`;
	button.addEventListener('click', () => remove?.(id));
	return button;
}
