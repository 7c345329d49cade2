// A process with applications that a test sends signals to. It tells what happens in it.

import { answerRequests, report } from '@orijs/testkit';
import { type Bus, InProcWsProvider, SocketMessage, type WebSocketProvider, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';

/** What the process is started with, in its environment as JSON under `SIGNALLED`. */
export interface SignalledSettings {
	/** How many applications there are; default 1. */
	readonly applications?: number;
	/** As the application's option. */
	readonly signals?: boolean;
	/** The provider of the last application can't be stopped. */
	readonly isStuck?: boolean;
	/** The program listens to SIGTERM itself. */
	readonly ownListener?: { readonly how: 'on' | 'once'; readonly when: 'before' | 'after' };
}

export type SignalledRequest =
	| { readonly do: 'ports' }
	/** How many listen to SIGTERM, and to SIGINT. */
	| { readonly do: 'listeners' }
	/** Lets the handlers that run come to their end. */
	| { readonly do: 'goOn' }
	/** Stops the first applications, so many of them. */
	| { readonly do: 'stop'; readonly count: number }
	| { readonly do: 'exit'; readonly code: number };

const settings = JSON.parse(process.env['SIGNALLED'] ?? '{}') as SignalledSettings;
const { applications = 1, signals = true, isStuck = false, ownListener } = settings;

const Job = SocketMessage.define({ name: 'job', data: z.null(), reply: z.string() });
const gate = Promise.withResolvers<void>();

function listenMyself(): void {
	if (ownListener !== undefined) process[ownListener.how]('SIGTERM', () => void report('own listener'));
}

function providerOf(index: number): WebSocketProvider {
	if (!isStuck || index < applications - 1) return new InProcWsProvider();
	const bus: Bus = { ...new MemoryBackend().createBus(), stop: () => Promise.reject(new Error('hangs on')) };
	return new WsProvider({ bus });
}

if (ownListener?.when === 'before') listenMyself();
const all = Array.from({ length: applications }, (_, index) =>
	new Application({ signals })
		.websocket(providerOf(index))
		.socketRouter(
			new SocketRouter().on(Job, async () => {
				await report('job begun');
				await gate.promise;
				return 'done';
			}),
		)
		.onShutdown(() => report(`shut down ${index}`)),
);
const ports = await Promise.all(all.map(async (app) => (await app.listen(0)).port));
if (ownListener?.when === 'after') listenMyself();

answerRequests((request) => {
	const asked = request as SignalledRequest;
	switch (asked.do) {
		case 'ports':
			return ports;
		case 'listeners':
			return [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')];
		case 'goOn':
			return gate.resolve();
		case 'stop':
			return Promise.all(all.slice(0, asked.count).map((app) => app.stop())).then(() => undefined);
		case 'exit':
			return process.exit(asked.code);
	}
});
