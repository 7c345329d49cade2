// A server under attack, in its own process. On request it reports its health, or publishes.

import { answerRequests } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';
import { Application, type RefusalCounts, SocketRouter } from '../index.ts';

export interface Health {
	readonly port: number;
	/** Resident memory, in bytes. */
	readonly rss: number;
	readonly connections: number;
	/** Uncaught exceptions and unhandled rejections. */
	readonly failures: readonly string[];
	/** Keys that were added to built-in prototypes. */
	readonly pollution: readonly string[];
	readonly refusals: RefusalCounts;
}

export interface Publish {
	readonly topic: string;
	readonly count: number;
	readonly bytes: number;
}

const failures: string[] = [];
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
	process.on(event, (reason: unknown) => failures.push(`${event}: ${String(reason)}`));
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const provider = new InProcWsProvider({ logger: quiet });
const Echo = SocketMessage.define({ name: 'echo', data: z.unknown(), reply: z.unknown() });
const Merge = SocketMessage.define({ name: 'merge', data: z.unknown() });

const app = new Application({ logger: quiet, signals: false })
	.websocket(provider, {
		upgrade: (req) => (req.url.endsWith('?hang') ? new Promise<never>(() => {}) : {}),
		upgradeTimeoutMs: 2_000,
		authorize: { subscribe: () => true },
		limits: { queuedBytes: 256 * 1024 },
	})
	.socketRouter(new SocketRouter().on(Echo, (ctx) => ctx.data).on(Merge, (ctx) => merge({}, ctx.data)));
const { port } = await app.listen(0);

answerRequests(async (request) => {
	if (request === 'health') {
		return {
			port: port as number,
			rss: process.memoryUsage.rss(),
			connections: provider.getConnectionCount(),
			failures,
			pollution: pollution(),
			refusals: app.refusals,
		} satisfies Health;
	}
	const { topic, count, bytes } = request as Publish;
	for (let i = 0; i < count; i++) {
		void app.socket.publish(topic, String(i).padEnd(bytes, '.'));
		if (i % 50 === 0) await Bun.sleep(1);
	}
	return undefined;
});

/** Merges in a way that is open to prototype pollution, as handlers often do. */
function merge(target: Record<string, unknown>, source: unknown): void {
	for (const [key, value] of Object.entries(source ?? {})) {
		if (typeof value === 'object' && value !== null) merge((target[key] ??= {}) as Record<string, unknown>, value);
		else target[key] = value;
	}
}

function pollution(): string[] {
	const keys: string[] = [];
	for (const object of [{}, [], () => {}]) {
		// Unlike `Object.keys`, this includes inherited keys.
		for (const key in object) keys.push(key);
	}
	return keys;
}
