import type { FromPage, FromServer } from '../protocol.ts';

/** `waiting` is the time before the next try. */
export type ConnectionState = 'connecting' | 'connected' | 'waiting';

export interface ConnectionHandlers {
	/** Called on every change. */
	state(state: ConnectionState): void;
	message(message: FromServer): void;
}

export interface Connection {
	/** Returns whether there was a connection to send on. */
	send(message: FromPage): boolean;
}

const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** A connection to the server that comes back by itself, for ever, with growing waits. */
export function connect(handlers: ConnectionHandlers): Connection {
	const url = new URL('/ws', location.href.replace(/^http/, 'ws'));
	let state: ConnectionState = 'waiting';
	let socket: WebSocket;
	let tries = 0;
	let timer = 0;

	const enter = (next: ConnectionState): void => {
		state = next;
		handlers.state(next);
	};

	const open = (): void => {
		clearTimeout(timer);
		socket = new WebSocket(url);
		socket.addEventListener('open', () => {
			tries = 0;
			enter('connected');
		});
		socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
			handlers.message(JSON.parse(data) as FromServer);
		});
		socket.addEventListener('close', () => {
			timer = setTimeout(open, waitAfter(tries++));
			enter('waiting');
		});
		enter('connecting');
	};

	// The network is back, or somebody looks at the page again: no need to wait any longer.
	const retry = (): void => {
		if (state === 'waiting' && !document.hidden) open();
	};
	addEventListener('online', retry);
	document.addEventListener('visibilitychange', retry);

	open();
	return {
		send(message) {
			if (state !== 'connected') return false;
			socket.send(JSON.stringify(message));
			return true;
		},
	};
}

/** Random, so that the pages of a server that went down don't all come back in one moment. */
function waitAfter(tries: number): number {
	const longest = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** tries);
	return longest * (0.5 + Math.random() / 2);
}
