import { renameSync, writeFileSync } from 'node:fs';
import { findFaketime } from '@orijs/testkit';
import { CLOCK_FILE } from '../record/true-time.ts';

/**
 * A clock that can be set while its processes run, by libfaketime. Only the clock that tells the time of day: the
 * monotonic one, by which timers go, stays as it is.
 */
export class SettableClock {
	/** The environment of the processes that have this clock. */
	readonly env: Readonly<Record<string, string>>;
	readonly #path: string;
	#offsetMs = 0;

	/** @param path a file to be written @throws {Error} libfaketime is not installed */
	constructor(path: string) {
		this.#path = path;
		this.env = {
			// `redis-server` has an allocator that asks for the time while libfaketime starts, and needs memory for that.
			// With the C library's allocator in front, both start.
			LD_PRELOAD: `${libfaketime()} libc.so.6`,
			[CLOCK_FILE]: path,
			FAKETIME_NO_CACHE: '1',
			FAKETIME_DONT_FAKE_MONOTONIC: '1',
		};
		this.set(0);
	}

	/** How far it is ahead of the true time, in milliseconds. */
	get offsetMs(): number {
		return this.#offsetMs;
	}

	set(offsetMs: number): void {
		this.#offsetMs = offsetMs;
		// A process may read the file at any moment.
		writeFileSync(`${this.#path}.new`, `${offsetMs < 0 ? '-' : '+'}${(Math.abs(offsetMs) / 1_000).toFixed(3)}\n`);
		renameSync(`${this.#path}.new`, this.#path);
	}
}

function libfaketime(): string {
	const path = findFaketime();
	if (path === undefined) throw new Error('libfaketime is not installed: run `bun run ensure-faketime`, on Linux');
	return path;
}
