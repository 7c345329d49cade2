import type { ClientState } from '@orijs/websocket-client';
import { byId } from '@orijs/examples-shared/element';
import { client } from './client.ts';

const state = byId('state', HTMLElement);

const SHOWN: Record<ClientState, [kind: string, words: string]> = {
	idle: ['connecting', 'Connecting…'],
	connecting: ['connecting', 'Connecting…'],
	ready: ['connected', 'Connected'],
	waiting: ['away', 'Reconnecting…'],
	closed: ['over', 'Closed'],
};

/** Shows the state of the client. */
export function startState(): void {
	client.onStateChange((now) => {
		const [kind, words] = SHOWN[now];
		state.dataset['state'] = kind;
		document.body.dataset['connection'] = kind;
		state.textContent = words;
	});
}
