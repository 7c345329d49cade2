// Each of these lines has one mistake. `src/type-errors.test.ts` checks the first line of what the compiler says about
// it.

import { Application, type MessageContext, SocketMessage, SocketRouter } from '@orijs/orijs';
import { SocketClient } from '@orijs/orijs/client';
import { InProcWsProvider } from '@orijs/websocket';
import { z } from 'zod';

const Say = SocketMessage.define({ name: 'say', data: z.string(), reply: z.number() });
/** A message without a reply. */
const Ping = SocketMessage.define({ name: 'ping', data: z.string() });
declare const ctx: MessageContext;
declare const client: SocketClient;
const app = new Application().websocket();

// What upgrade() returns

new Application().websocket({ upgrade: () => 5 });
new Application().websocket({ upgrade: async (req) => req.url });
new Application().websocket(new InProcWsProvider(), { upgrade() {} });
new Application().websocket({ paht: '/ws' });

// Routers

new SocketRouter().on('say', () => 5);
new SocketRouter().on(Say, () => {});
new SocketRouter().use('log');
new SocketRouter().guardMessages(async () => {});
new SocketRouter().onUnknown();

// Requests

void ctx.request('say');
void ctx.request(Say);
void ctx.request(Ping, 'text');
void app.socket.request('id', 'say');
void client.request('say');
void client.request(Say);
void client.request(Say, 5);

// Handlers of the client

client.handle(Ping);
client.handle(Say);
client.handle(Ping, () => 5);
client.handle('say', () => 5);
client.handle(Say, () => 'text');
