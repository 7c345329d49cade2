import { SocketClient } from '@orijs/websocket-client';
import { z } from 'zod';
import { currentName } from './name.ts';

// The page's content security policy allows no code made from strings.
z.config({ jitless: true });

/** The connection to whichever node this page came from. */
export const client: SocketClient = new SocketClient('/ws', {
	auth: () => ({ name: currentName() }),
	// Often, so that a node that hangs is noticed soon, and a gap is not longer than it was.
	heartbeat: { intervalMs: 2_000, timeoutMs: 4_000 },
	// Somebody watches the demo, and it is a few pages that come back.
	reconnect: { minDelayMs: 500, maxDelayMs: 8_000 },
});

client.onError((error, stage) => console.warn(`${stage}:`, error));
