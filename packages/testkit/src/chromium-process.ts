import { findChromium } from './find-chromium.ts';
import { ownProcess } from './owned-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { TimeoutError } from './within.ts';
import { until } from './until.ts';

/** Thrown when Chromium does not start. The message includes its log. */
export class ChromiumStartError extends Error {
	override readonly name = 'ChromiumStartError';

	constructor(what: string, log: string, options?: ErrorOptions) {
		super(`Chromium ${what}\n${log.trim() || '(it logged nothing)'}`, options);
	}
}

/**
 * Used instead of Playwright's defaults, which exempt hidden pages from throttling: tests need a browser that behaves
 * as it does for users. `--no-sandbox` is needed because the sandbox does not work for root in a container; Chromium
 * only loads what the tests serve.
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
	/** The DevTools endpoint, `ws://127.0.0.1:…`. */
	readonly endpoint: string;
}

/** Starts a Chromium and waits until it accepts commands. Its temporary files go to the profile's directory too. */
export async function startChromium(profile: string, timeoutMs: number): Promise<RunningChromium> {
	const executable = findChromium();
	if (!executable) throw new Error('Chromium not found: run `bun run ensure-chromium` to install it');

	const process = ownProcess([executable, ...FLAGS, `--user-data-dir=${profile}`], { env: { TMPDIR: profile } });
	const endpoint = (): string | undefined => /DevTools listening on (ws:\S+)\s/.exec(process.output())?.[1];
	try {
		await until(() => process.state() === 'ended' || endpoint() !== undefined, {
			what: 'Chromium accepts commands',
			timeoutMs,
		});
	} catch (error) {
		process.kill();
		await process.exited;
		if (!(error instanceof TimeoutError)) throw error;
		throw new ChromiumStartError(`did not accept commands within ${timeoutMs} ms`, process.output(), { cause: error });
	}
	const found = endpoint();
	if (process.state() !== 'ended' && found !== undefined) return { process, endpoint: found };
	const { code, signal } = await process.exited;
	throw new ChromiumStartError(`exited with ${signal ?? code} instead of starting`, process.output());
}
