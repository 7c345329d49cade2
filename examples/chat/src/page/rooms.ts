import { isRoom, ROOM_RULE } from '../messages.ts';
import { showProblem } from './composer.ts';
import { byId, make } from '@orijs/examples-shared/element';

const FIRST_ROOM = 'lobby';
const NO_SUCH_ROOM = `Invalid room name: ${ROOM_RULE}.`;

const list = byId('rooms', HTMLUListElement);
const form = byId('other-room', HTMLFormElement);
const input = byId('room', HTMLInputElement);
const rooms = new Set([FIRST_ROOM, 'book-club', 'kitchen', 'night-shift']);

let room = FIRST_ROOM;

/** Returns the current room. It is kept in the address, so that links and the back button work. */
export function currentRoom(): string {
	return room;
}

/**
 * Lists the rooms, marks the current one, and lets the visitor switch rooms with Alt and the arrow keys. Calls
 * `onChange` on every change.
 */
export function startRooms(onChange: () => void): void {
	addEventListener('hashchange', () => {
		if (readAddress()) onChange();
	});
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const wanted = input.value.trim().replace(/^#/, '').replaceAll(/\s+/g, '-');
		if (wanted === '') return;
		input.setCustomValidity(isRoom(wanted) ? '' : NO_SUCH_ROOM);
		if (!input.reportValidity()) return;
		input.value = '';
		location.hash = wanted;
	});
	input.addEventListener('input', () => input.setCustomValidity(''));
	addEventListener('keydown', (event) => {
		if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
		event.preventDefault();
		const all = [...rooms];
		const step = event.key === 'ArrowDown' ? 1 : -1;
		location.hash = all[(all.indexOf(room) + step + all.length) % all.length] ?? FIRST_ROOM;
	});
	readAddress();
	drawRooms();
}

/** Reads the room from the address. Returns whether the room has changed. */
function readAddress(): boolean {
	const wanted = location.hash.slice(1) || FIRST_ROOM;
	if (!isRoom(wanted)) {
		showProblem(NO_SUCH_ROOM);
		history.replaceState(null, '', `#${room}`);
		return false;
	}
	if (wanted === room) return false;
	room = wanted;
	drawRooms();
	return true;
}

function drawRooms(): void {
	rooms.add(room);
	const items = [...rooms].map((name) => {
		const link = make('a', '', make('bdi', '', name));
		link.href = `#${name}`;
		if (name === room) link.ariaCurrent = 'page';
		return make('li', '', link);
	});
	list.replaceChildren(...items);
	list.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
