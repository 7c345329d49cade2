import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

export const Said = SocketMessage.define({ name: 'said', data: z.object({ id: z.number(), text: z.string() }) });
