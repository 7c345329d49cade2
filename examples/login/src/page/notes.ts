import { MAX_NOTES, type Note, type User } from '../messages.ts';
import { byId, make } from '@orijs/examples-shared/element';

const heading = byId('notes-title', HTMLElement);
const list = byId('notes', HTMLOListElement);
const empty = byId('no-notes', HTMLElement);
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

let you: User | undefined;
let onRemove: (id: string) => void = () => {};

export function startNotes(remove: (id: string) => void): void {
	onRemove = remove;
}

/** Replaces all notes on the page with these, which are given oldest first. */
export function showNotes(notes: readonly Note[], user: User): void {
	you = user;
	list.replaceChildren(...notes.map(entryOf).toReversed());
	showWhetherEmpty();
}

export function addNote(note: Note): void {
	if (entry(note.id) !== undefined) return;
	list.prepend(entryOf(note));
	// The server drops the oldest note as well.
	while (list.childElementCount > MAX_NOTES) list.lastElementChild?.remove();
	showWhetherEmpty();
}

export function dropNote(id: string): void {
	const gone = entry(id);
	// If the note's button has the focus, removing it would move the focus to the top of the page.
	if (gone?.contains(document.activeElement)) heading.focus();
	gone?.remove();
	showWhetherEmpty();
}

function entry(id: string): Element | undefined {
	return [...list.children].find((element) => element instanceof HTMLElement && element.dataset['id'] === id);
}

function entryOf({ id, author, text, at }: Note): HTMLElement {
	const date = new Date(at);
	const time = make('time', '', clock.format(date));
	time.dateTime = date.toISOString();
	const by = make('p', 'by', make('strong', '', author), ' ', time);
	const body = make('p', 'text', text);
	body.dir = 'auto';
	const element = make('li', 'note', by, body);
	element.dataset['id'] = id;
	// The server decides who may remove a note. The page only hides a button that the server would refuse.
	if (you?.role === 'admin' || you?.name === author) by.append(removeButton(id, author));
	return element;
}

function removeButton(id: string, author: string): HTMLButtonElement {
	const button = make('button', 'quiet', 'Remove', make('span', 'hidden', ` the note of ${author}`));
	button.type = 'button';
	button.addEventListener('click', () => onRemove(id));
	return button;
}

function showWhetherEmpty(): void {
	empty.hidden = list.childElementCount > 0;
}
