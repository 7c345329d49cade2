import type { ConnectionState } from './connection.ts';
import { byId, make } from './element.ts';
import { hueOf } from './looks.ts';

const title = byId('title', HTMLElement);
const state = byId('state', HTMLElement);
const stateText = byId('state-text', HTMLElement);

export function showRoom(room: string): void {
	title.textContent = room;
	document.title = `#${room} · OriJS chat`;
}

/** Which node one is on, or that one is on none. */
export function showConnection(connection: ConnectionState, node: string): void {
	state.dataset['state'] = connection;
	state.style.setProperty('--hue', String(hueOf(node)));
	if (connection === 'connected') stateText.replaceChildren(make('span', 'hidden', 'Connected to '), node);
	// Says the same for every try, so that it isn't read out again and again.
	else stateText.textContent = node === '' ? 'Connecting…' : 'Reconnecting…';
}
