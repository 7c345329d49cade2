import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findFrontEnd } from './find-front-end.ts';
import type { FrontEndProgram } from './find-front-end.ts';
import { freePort } from './free-port.ts';
import { ownProcess } from './owned-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { scratchDir } from './scratch-dir.ts';
import { until } from './until.ts';

const HOST = '127.0.0.1';
const PORT_TRIES = 5;

/** A real reverse proxy on loopback. It never outlives the test. */
export interface FrontEnd {
	readonly port: number;
	/** `http://127.0.0.1:{port}` */
	readonly url: string;
	/** Returns the last 64 KiB of its log. */
	log(): string;
	/** Ends the process and removes its files. Can be called more than once. */
	stop(): Promise<void>;
}

/** Thrown when a proxy does not start. The message includes its log. */
export class FrontEndStartError extends Error {
	override readonly name = 'FrontEndStartError';
	/** Whether the reason is that another process uses the port. */
	readonly isPortTaken: boolean;

	constructor(program: FrontEndProgram, log: string) {
		super(`${program} did not start\n${log.trim() || '(it logged nothing)'}`);
		this.isPortTaken = /address already in use/i.test(log);
	}
}

export interface FrontEndSetup {
	readonly program: FrontEndProgram;
	/** Returns the configuration. The server must listen on 127.0.0.1 and write all files to `dir`. */
	readonly config: (port: number, dir: string) => string;
	/** Returns the arguments to run it in the foreground. */
	readonly args: (configFile: string, dir: string) => readonly string[];
	/** Returns variables to add to the environment. */
	readonly env?: (dir: string) => Record<string, string>;
}

/** Starts a proxy on a free port. Resolves when it accepts connections. */
export async function startFrontEnd(setup: FrontEndSetup): Promise<FrontEnd> {
	const executable = findFrontEnd(setup.program);
	if (!executable) throw new Error(`${setup.program} not found: run \`bun run ensure-front-ends\` to install it`);
	for (let attempt = 1; ; attempt++) {
		try {
			return await launch(executable, setup, await freePort());
		} catch (error) {
			// Another process took the port before the proxy could listen on it.
			if (!(error instanceof FrontEndStartError && error.isPortTaken) || attempt === PORT_TRIES) throw error;
		}
	}
}

async function launch(executable: string, { program, config, args, env }: FrontEndSetup, port: number) {
	const dir = scratchDir(`orijs-${program}-`);
	const file = join(dir.path, 'config');
	writeFileSync(file, config(port, dir.path));
	const process = ownProcess([executable, ...args(file, dir.path)], { cwd: dir.path, env: env?.(dir.path) ?? {} });
	const stop = async (): Promise<void> => {
		await process.stop();
		dir.remove();
	};
	try {
		await accepts(process, program, port);
	} catch (error) {
		await stop();
		throw error;
	}
	return { port, url: `http://${HOST}:${port}`, log: () => process.output(), stop };
}

async function accepts(process: OwnedProcess, program: FrontEndProgram, port: number): Promise<void> {
	await until(async () => process.state() === 'ended' || (await canConnect(port)), {
		what: () => `${program} accepts connections\n${process.output()}`,
		timeoutMs: 10_000,
	});
	if (process.state() === 'ended') throw new FrontEndStartError(program, process.output());
}

function canConnect(port: number): Promise<boolean> {
	const { promise, resolve } = Promise.withResolvers<boolean>();
	const socket = connect({ host: HOST, port });
	socket.once('connect', () => resolve(true));
	socket.once('error', () => resolve(false));
	return promise.finally(() => socket.destroy());
}
