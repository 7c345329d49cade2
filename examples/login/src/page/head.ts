import type { ClientState } from '@orijs/websocket-client';
import type { User } from '../messages.ts';
import { byId, make } from '@orijs/examples-shared/element';

const me = byId('me', HTMLElement);
const state = byId('state', HTMLElement);
const online = byId('online', HTMLUListElement);

const WORDS: Record<ClientState, string> = {
	idle: '',
	connecting: 'Connecting…',
	ready: 'Connected',
	// The same text as for `connecting`, so that screen readers don't read it again on every attempt.
	waiting: 'Connecting…',
	closed: 'Not logged in',
};

export function showState(connection: ClientState): void {
	state.dataset['state'] = connection;
	if (state.textContent !== WORDS[connection]) state.textContent = WORDS[connection];
}

export function showUser({ name, role }: User): void {
	me.textContent = role === 'admin' ? `${name} (admin)` : name;
}

export function showOnline(names: readonly string[]): void {
	online.replaceChildren(...names.map((name) => make('li', '', name)));
}
