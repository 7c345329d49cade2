import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

/** A message with a number, so that missing messages can be detected. */
export const Tick = SocketMessage.define({ name: 'tick', data: z.object({ number: z.number() }) });
export const Double = SocketMessage.define({ name: 'double', data: z.number(), reply: z.number() });
export const TOPIC = 'ticks';
