import { SocketRouter } from '@orijs/core';
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

const Say = SocketMessage.define({
	name: 'chat.say',
	data: z.object({ room: z.string(), text: z.string().max(500) }),
	reply: z.object({ id: z.string() }),
});

/** What `chat-by-hand.ts` does, with this system's router; the answer is validated as well. */
export const chat: SocketRouter = new SocketRouter().on(Say, () => ({ id: '0123456789abcdef' }));

/** The same, handled as most handlers are written. */
export const chatLater: SocketRouter = new SocketRouter().on(Say, async () => ({ id: '0123456789abcdef' }));
