// A process with applications, to which a test sends signals. It reports events to the test.

import { answerRequests, report } from '@orijs/testkit';
import { type Bus, InProcWsProvider, SocketMessage, type WebSocketProvider, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';

/** The process's settings, as JSON in the environment variable `SIGNALLED`. */
export interface SignalledSettings {
	/** The number of applications; default 1. */
	readonly applications?: number;
	/** The applications' `signals` option. */
	readonly signals?: boolean;
	/** The applications' `readinessDelayMs` option; default 0, `null` for the application's own default. */
	readonly readinessDelayMs?: number | null;
	/** Whether stopping the last application's provider fails. */
	readonly isStuck?: boolean;
	/** A SIGTERM listener of the program itself. */
	readonly ownListener?: { readonly how: 'on' | 'once'; readonly when: 'before' | 'after' };
}

export type SignalledRequest =
	| { readonly do: 'ports' }
	/** The numbers of listeners for SIGTERM and SIGINT. */
	| { readonly do: 'listeners' }
	/** Each application's `isStopping`. */
	| { readonly do: 'isStopping' }
	/** Lets running handlers finish. */
	| { readonly do: 'releaseHandlers' }
	/** Stops the first `count` applications. */
	| { readonly do: 'stop'; readonly count: number }
	| { readonly do: 'exit'; readonly code: number };

const settings = JSON.parse(process.env['SIGNALLED'] ?? '{}') as SignalledSettings;
const { applications = 1, signals = true, readinessDelayMs = 0, isStuck = false, ownListener } = settings;

const Job = SocketMessage.define({ name: 'job', data: z.null(), reply: z.string() });
const gate = Promise.withResolvers<void>();

function addOwnListener(): void {
	if (ownListener !== undefined) process[ownListener.how]('SIGTERM', () => void report('own listener'));
}

function providerOf(index: number): WebSocketProvider {
	if (!isStuck || index < applications - 1) return new InProcWsProvider();
	const bus: Bus = {
		...new MemoryBackend().createBus(),
		stop: () => Promise.reject(new Error('the bus did not stop')),
	};
	return new WsProvider({ bus });
}

if (ownListener?.when === 'before') addOwnListener();
const all = Array.from({ length: applications }, (_, index) =>
	new Application({ signals, ...(readinessDelayMs !== null && { readinessDelayMs }) })
		.routes({ '/': () => new Response('served') })
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
if (ownListener?.when === 'after') addOwnListener();

answerRequests((request) => {
	const command = request as SignalledRequest;
	switch (command.do) {
		case 'ports':
			return ports;
		case 'listeners':
			return [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')];
		case 'isStopping':
			return all.map((app) => app.isStopping);
		case 'releaseHandlers':
			return gate.resolve();
		case 'stop':
			return Promise.all(all.slice(0, command.count).map((app) => app.stop())).then(() => undefined);
		case 'exit':
			return process.exit(command.code);
	}
});
