import { connectSpeaker, type ScriptProcess, spawnBun, type TestClient, until } from '@orijs/testkit';
import { onTestFinished } from 'vitest';
import type { SignalledRequest, SignalledSettings } from './signalled-process.ts';
import { sendTyped } from './typed-client.ts';

/** A process to send signals to, with a client connected to each of its applications. */
export interface SignalledProcess {
	readonly process: ScriptProcess;
	readonly clients: readonly TestClient[];
	ask<TReply = unknown>(request: SignalledRequest): Promise<TReply>;
	/** Sends a message whose handler runs until `releaseHandlers`. Resolves once the handler is running. */
	keepBusy(): Promise<void>;
	/** Resolves once the process has reported this event. */
	reported(what: string): Promise<void>;
	/** Resolves once the process has written this text to its output. */
	wrote(text: string): Promise<void>;
}

export async function startSignalledProcess(settings: SignalledSettings = {}): Promise<SignalledProcess> {
	const child = spawnBun(new URL('signalled-process.ts', import.meta.url), {
		env: { SIGNALLED: JSON.stringify(settings) },
	});
	onTestFinished(async () => {
		child.kill();
		await child.exited;
	});
	const ask = <TReply>(request: SignalledRequest): Promise<TReply> => child.request<TReply>(request);
	const ports = await ask<number[]>({ do: 'ports' });
	const clients = await Promise.all(ports.map((port) => connectSpeaker(`ws://localhost:${port}/ws`)));
	const reported = (what: string): Promise<void> =>
		until(() => child.reports.includes(what), { what: `the process reports: ${what}` });
	return {
		process: child,
		clients,
		ask,
		reported,
		wrote: (text) => until(() => child.output().includes(text), { what: `the process writes: ${text}` }),
		async keepBusy() {
			sendTyped(clients[0] as TestClient, 'job', null, 'a');
			await reported('job begun');
		},
	};
}
