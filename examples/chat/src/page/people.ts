import { byId, make } from '@orijs/examples-shared/element';
import { avatar, nodeSign } from './looks.ts';
import type { Member } from './member.ts';

const section = byId('people-section', HTMLElement);
const list = byId('people', HTMLUListElement);
const count = byId('people-count', HTMLElement);
let people: readonly Member[] = [];
let you = '';
/** Removes a person from the room; undefined if the visitor is no moderator. */
let remove: ((id: string) => void) | undefined;
let drawn = '';

export interface People {
	readonly members: readonly Member[];
	/** The id of this visitor. */
	readonly you: string;
	/** Whether those on other nodes are as they were last known. */
	readonly isStale: boolean;
}

/** Shows who is in the room. */
export function showPeople(now: People): void {
	people = now.members.toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	({ you } = now);
	section.classList.toggle('stale', now.isStale);
	draw();
}

/** Sets what removes a person from the room. Only moderators have that. */
export function mayRemove(removePerson: ((id: string) => void) | undefined): void {
	remove = removePerson;
	draw();
}

function draw(): void {
	// Skips drawing if nothing has changed that is shown here.
	const now = JSON.stringify([you, remove !== undefined, people.map(({ typing: _, ...shown }) => shown)]);
	if (now === drawn) return;
	drawn = now;
	count.textContent = people.length === 0 ? '' : String(people.length);
	list.replaceChildren(
		...people.map(({ id, name, node, connections }) => {
			const who = make('span', 'who', make('bdi', 'name', name));
			if (id === you) who.append(make('small', '', ' you'));
			if (connections > 1) who.append(make('small', '', ` ×${connections}`));
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
