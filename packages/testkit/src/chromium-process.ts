import { findChromium } from './find-chromium.ts';
import { ownProcess } from './owned-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { TimeoutError } from './within.ts';
import { until } from './until.ts';

/** A Chromium did not come up. The message holds what it logged. */
export class ChromiumStartError extends Error {
	override readonly name = 'ChromiumStartError';

	constructor(what: string, log: string, options?: ErrorOptions) {
		super(`Chromium ${what}\n${log.trim() || '(it logged nothing)'}`, options);
	}
}

/**
 * Not Playwright's own: those keep hidden pages from being throttled, and the tests want to see a browser as its users have
 * it. `--no-sandbox`, because root in a container has none; it only ever loads what the tests serve.
 */
const FLAGS = [
	'--headless',
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--no-startup-window',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--remote-debugging-port=0',
];

export interface RunningChromium {
	readonly process: OwnedProcess;
	/** Where it takes commands, `ws://127.0.0.1:…`. */
	readonly endpoint: string;
}

/** Starts one Chromium on a profile, where its temporary files go as well, and waits until it takes commands. */
export async function startChromium(profile: string, timeoutMs: number): Promise<RunningChromium> {
	const executable = findChromium();
	if (!executable) throw new Error('found no Chromium: run `bun run ensure-chromium` to get it');

	const process = ownProcess([executable, ...FLAGS, `--user-data-dir=${profile}`], { env: { TMPDIR: profile } });
	const endpoint = (): string | undefined => /DevTools listening on (ws:\S+)\s/.exec(process.output())?.[1];
	try {
		await until(() => process.state() === 'ended' || endpoint() !== undefined, {
			what: 'it takes commands',
			timeoutMs,
		});
	} catch (error) {
		process.kill();
		await process.exited;
		if (!(error instanceof TimeoutError)) throw error;
		throw new ChromiumStartError(`took no commands within ${timeoutMs} ms`, process.output(), { cause: error });
	}
	const found = endpoint();
	if (process.state() !== 'ended' && found !== undefined) return { process, endpoint: found };
	const { code, signal } = await process.exited;
	throw new ChromiumStartError(`exited with ${signal ?? code} instead of starting`, process.output());
}
