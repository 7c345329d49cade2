import { connectClient, type ScriptProcess, spawnBun, type TestClient, until } from '@orijs/testkit';
import { onTestFinished } from 'vitest';
import type { SignalledRequest, SignalledSettings } from './signalled.ts';
import { say } from './speak.ts';

/** A process to send signals to, with a client of each of its applications. */
export interface Signalled {
	readonly process: ScriptProcess;
	readonly clients: readonly TestClient[];
	ask<TReply = unknown>(request: SignalledRequest): Promise<TReply>;
	/** Has the first client's message handled; resolves once the handler waits to go on. */
	keepBusy(): Promise<void>;
	/** Resolves once the process has told that. */
	reported(what: string): Promise<void>;
	/** Resolves once the process has written that. */
	wrote(text: string): Promise<void>;
}

export async function startSignalled(settings: SignalledSettings = {}): Promise<Signalled> {
	const child = spawnBun(new URL('signalled.ts', import.meta.url), { env: { SIGNALLED: JSON.stringify(settings) } });
	onTestFinished(async () => {
		child.kill();
		await child.exited;
	});
	const ask = <TReply>(request: SignalledRequest): Promise<TReply> => child.request<TReply>(request);
	const ports = await ask<number[]>({ do: 'ports' });
	const clients = await Promise.all(ports.map((port) => connectClient(`ws://localhost:${port}/ws`)));
	const reported = (what: string): Promise<void> =>
		until(() => child.reports.includes(what), { what: `the process tells: ${what}` });
	return {
		process: child,
		clients,
		ask,
		reported,
		wrote: (text) => until(() => child.output().includes(text), { what: `the process writes: ${text}` }),
		async keepBusy() {
			say(clients[0] as TestClient, 'job', null, 'a');
			await reported('job begun');
		},
	};
}
