import { SocketClient } from '@orijs/websocket-client';
import { z } from 'zod';
import { ADMIN_PATH } from '../../admin-messages.ts';
import { currentKey } from './key.ts';

// The page's content security policy forbids evaluating strings as code, which zod would otherwise do.
z.config({ jitless: true });

/** The connection to the node that served this page. It acts on all nodes. */
export const client: SocketClient = new SocketClient(ADMIN_PATH, {
	auth: currentKey,
	heartbeat: { intervalMs: 2_000, timeoutMs: 4_000 },
	reconnect: { minDelayMs: 500, maxDelayMs: 8_000 },
});

client.onError((error, stage) => console.warn(`${stage}:`, error));
