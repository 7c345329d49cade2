import type { Said } from '../protocol.ts';
import { byId, make } from './element.ts';
import { avatar, nodeSign } from './looks.ts';

/** How many entries are kept. */
const MAX_ENTRIES = 300;
/** Messages of one person that are no further apart than this look like one, in milliseconds. */
const GROUP_MS = 120_000;
/** Whoever has scrolled up less than this is still reading the end, in pixels. */
const NEAR_END = 80;

const list = byId('log', HTMLOListElement);
const latest = byId('latest', HTMLButtonElement);
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

let last: Said | undefined;

latest.addEventListener('click', () => {
	toEnd();
	list.focus();
});
list.addEventListener('scroll', () => {
	if (isNearEnd()) latest.hidden = true;
});
// A keyboard that slides in, or a window made smaller, must not hide the end.
new ResizeObserver(() => {
	if (latest.hidden) toEnd();
}).observe(list);

export function showMessage(said: Said, isMine: boolean): void {
	const follows =
		last !== undefined && last.from === said.from && last.name === said.name && said.at - last.at < GROUP_MS;
	last = said;
	const at = new Date(said.at);
	const time = make('time', '', clock.format(at));
	time.dateTime = at.toISOString();
	const by = make('p', 'by', make('bdi', 'name', said.name), ' ', nodeSign(said.node), ' ', time);
	const text = make('p', 'text', said.text);
	text.dir = 'auto';
	const body = make('div', 'body', by, text);
	const entry = make('li', 'message', avatar(said.name), body);
	entry.classList.toggle('mine', isMine);
	entry.classList.toggle('follows', follows);
	append(entry, isMine);
}

/** Something that happened, as opposed to something said. */
export function showNotice(...content: (Node | string)[]): void {
	last = undefined;
	append(make('li', 'notice', make('p', '', ...content)), false);
}

export function clearLog(): void {
	last = undefined;
	latest.hidden = true;
	list.replaceChildren();
}

function append(entry: HTMLElement, toItsEnd: boolean): void {
	const follow = toItsEnd || isNearEnd();
	list.append(entry);
	while (list.childElementCount > MAX_ENTRIES) list.firstElementChild?.remove();
	if (follow) toEnd();
	else latest.hidden = false;
}

function isNearEnd(): boolean {
	return list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
}

function toEnd(): void {
	list.scrollTop = list.scrollHeight;
	latest.hidden = true;
}
