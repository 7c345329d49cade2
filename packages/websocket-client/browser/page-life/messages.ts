import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

/** One after the other, so that it is seen which are missing. */
export const Tick = SocketMessage.define({ name: 'tick', data: z.object({ number: z.number() }) });
export const Double = SocketMessage.define({ name: 'double', data: z.number(), reply: z.number() });
export const TOPIC = 'ticks';
