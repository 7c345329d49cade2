import { SocketRouter } from '@orijs/core';
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

const data = z.object({ room: z.string(), text: z.string().max(500) });
const reply = z.object({ id: z.string() });

const Say = SocketMessage.define({ name: 'chat.say', data, reply });
const Tell = SocketMessage.define({ name: 'chat.tell', data, reply });
const Ask = SocketMessage.define({ name: 'chat.ask', data, reply });

/** Like `chat-by-hand.ts`, but with this system's router, which validates every reply. */
export const chat: SocketRouter = new SocketRouter()
	.on(Say, () => ({ id: '0123456789abcdef' }))
	.on(Tell, () => ({ id: '0123456789abcdef' }))
	.on(Ask, async () => ({ id: '0123456789abcdef' }));
