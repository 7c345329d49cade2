import type { ClientState, StateChange } from '@orijs/websocket-client';
import { client } from './client.ts';
import { isBanned } from './banned.ts';
import { byId } from '@orijs/examples-shared/element';
import { hueOf } from './looks.ts';

/** The shortest remaining wait that is shown with a countdown, in milliseconds. */
const WORTH_COUNTING_MS = 950;

const state = byId('state', HTMLElement);
const text = byId('state-text', HTMLElement);
const spoken = byId('state-spoken', HTMLElement);
const again = byId('again', HTMLButtonElement);

let wasReady = false;
let timer: ReturnType<typeof setInterval> | undefined;

/** Shows the state of the client. */
export function startConnectionState(): void {
	client.onStateChange(showState);
	// Without a network, the page must show `Offline` instead of a countdown.
	addEventListener('offline', () => {
		if (client.state === 'waiting') showState('waiting');
	});
	again.addEventListener('click', () => void client.connect().catch(() => {}));
}

/** Shows that the visitor is in a room on this node. */
export function showNode(name: string): void {
	show('connected', name, `Connected to ${name}`);
	state.style.setProperty('--hue', String(hueOf(name)));
}

function showState(now: ClientState, { retryInMs, end }: Partial<StateChange> = {}): void {
	clearInterval(timer);
	again.hidden = now !== 'closed';
	switch (now) {
		case 'idle':
		case 'connecting':
			// Every attempt shows the same text, so that screen readers don't read it again.
			return wasReady ? show('away', 'Trying again…', 'Reconnecting') : show('connecting', 'Connecting…', 'Connecting');
		case 'waiting':
			if (!navigator.onLine) return show('offline', 'Offline', 'Offline');
			return countDown(performance.now() + (retryInMs ?? 0));
		case 'ready':
			wasReady = true;
			return show('connecting', 'Entering…', 'Connecting');
		case 'closed':
			if (isBanned(end)) return show('over', 'Banned', 'Banned');
			return show('over', end === undefined ? 'Closed' : 'Gave up', `Gave up: ${end?.reason ?? 'closed'}`);
	}
}

function countDown(until: number): void {
	const tick = (): void => {
		const left = until - performance.now();
		if (left < WORTH_COUNTING_MS) clearInterval(timer);
		const when = left < WORTH_COUNTING_MS ? 'Reconnecting…' : `Reconnecting in ${Math.round(left / 1_000)} s`;
		show('away', when, 'Reconnecting');
	};
	timer = setInterval(tick, 250);
	tick();
}

function show(kind: 'connecting' | 'connected' | 'away' | 'offline' | 'over', words: string, aloud: string): void {
	state.dataset['state'] = kind;
	document.body.dataset['connection'] = kind;
	if (text.textContent !== words) text.textContent = words;
	if (spoken.textContent !== aloud) spoken.textContent = aloud;
}
