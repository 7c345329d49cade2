import { byId, make } from '@orijs/examples-shared/element';
import type { ConnectionRow, Overview } from '../../admin-messages.ts';
import { roomOf } from '../../messages.ts';
import { dateAndTime } from '../clock.ts';
import { avatar, nodeSign } from '../looks.ts';
import { unansweredText } from '../unanswered.ts';

export interface Actions {
	kick(userId: string, name: string, rooms: readonly string[]): void;
	ban(userId: string, name: string): Promise<void>;
	lift(userId: string, name: string): void;
}

const nodes = byId('nodes', HTMLTableSectionElement);
const connections = byId('connections', HTMLTableSectionElement);
const more = byId('more', HTMLElement);
const bans = byId('bans', HTMLTableSectionElement);
const bansUnknown = byId('bans-unknown', HTMLElement);
const partial = byId('partial', HTMLElement);
/** The names of nodes by their ids, also of those that no longer answer. */
const nodeNames = new Map<string, string>();
const drawn = new Map<HTMLElement, string>();

/** Shows who is connected where, and says which nodes that leaves out. */
export function draw(overview: Overview, { kick, ban, lift }: Actions): void {
	for (const { id, name } of overview.nodes) if (name !== undefined) nodeNames.set(id, name);
	const { found } = overview;
	const missing = found.unanswered.map(nameOf).join(', ');
	setText(partial, `${unansweredText(found)}${missing === '' ? '' : ` Not shown: ${missing}.`}`);
	fill(nodes, overview.nodes, ({ id, host, version, startedAt, connections: count, ageMs, isSelf }) => [
		make('span', '', nodeSign(nameOf(id)), isSelf ? make('small', '', ' this page') : ''),
		make('small', '', id),
		host,
		version,
		String(count),
		dateAndTime.format(startedAt),
		ageMs < 1_000 ? 'now' : `${Math.round(ageMs / 1_000)} s ago`,
	]);
	setText(more, overview.hasMore ? `(the first ${overview.connections.length})` : '');
	fill(connections, overview.connections, (row) => [
		user(row),
		nodeSign(nameOf(row.nodeId)),
		dateAndTime.format(row.connectedAt),
		row.address,
		make('ul', '', ...row.topics.map((topic) => make('li', '', topic))),
		actions(row),
	]);
	setText(bansUnknown, overview.bans === undefined ? '(the list can’t be read)' : '');
	fill(bans, overview.bans ?? [], ({ userId, name, why, at }) => [
		person(name),
		why,
		dateAndTime.format(at),
		buttons(button('Lift', `Lift the ban of ${name}`, () => lift(userId, name))),
	]);

	function actions({ userId, name = userId, topics }: ConnectionRow): HTMLElement {
		if (userId === undefined || name === undefined) return buttons();
		const rooms = topics.map(roomOf).filter((room) => room !== undefined);
		const kicking = button('Kick', `Kick ${name}`, () => kick(userId, name, rooms));
		kicking.disabled = rooms.length === 0;
		return buttons(
			kicking,
			button('Ban', `Ban ${name}`, () => void ban(userId, name)),
		);
	}
}

function user({ userId, name }: ConnectionRow): HTMLElement {
	if (userId === undefined) return make('small', '', 'admin page');
	return person(name ?? userId);
}

function person(name: string): HTMLElement {
	return make('span', 'person', avatar(name), make('bdi', 'name', name));
}

function nameOf(nodeId: string): string {
	return nodeNames.get(nodeId) ?? nodeId.slice(0, 8);
}

function buttons(...all: HTMLButtonElement[]): HTMLElement {
	return make('span', 'actions', ...all);
}

function button(words: string, label: string, act: () => void): HTMLButtonElement {
	const element = make('button', 'button', words);
	element.type = 'button';
	element.ariaLabel = label;
	element.addEventListener('click', act);
	return element;
}

/** Replaces the rows if anything has changed: otherwise, a focused button would lose the focus. */
function fill<TRow>(body: HTMLElement, rows: readonly TRow[], cells: (row: TRow) => readonly (Node | string)[]): void {
	const now = JSON.stringify([rows, [...nodeNames]]);
	if (drawn.get(body) === now) return;
	drawn.set(body, now);
	body.replaceChildren(...rows.map((row) => make('tr', '', ...cells(row).map((cell) => make('td', '', cell)))));
}

/** Sets a text if it has changed: otherwise, screen readers would read it again. */
function setText(element: HTMLElement, text: string): void {
	if (element.textContent !== text) element.textContent = text;
}
