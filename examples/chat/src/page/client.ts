import { SocketClient } from '@orijs/websocket-client';
import { z } from 'zod';
import { roomOf } from '../messages.ts';
import { currentName, visitorId } from './name.ts';

// The page's content security policy forbids evaluating strings as code, which zod would otherwise do.
z.config({ jitless: true });

/** The connection to the node that served this page. */
export const client: SocketClient = new SocketClient('/ws', {
	// On a new connection, the server puts this page into the room that it was in.
	auth: () => ({
		visitor: visitorId(),
		name: currentName(),
		room: client.topics.map(({ topic }) => roomOf(topic)).find((room) => room !== undefined),
		key: new URLSearchParams(location.search).get('key') ?? undefined,
	}),
	// Short intervals, so that a hanging node is detected quickly and gaps remain small.
	heartbeat: { intervalMs: 2_000, timeoutMs: 4_000 },
	// Short delays, because someone is watching the demo, and only a few pages reconnect.
	reconnect: { minDelayMs: 500, maxDelayMs: 8_000 },
});

client.onError((error, stage) => console.warn(`${stage}:`, error));
