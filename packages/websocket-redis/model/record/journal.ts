import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

const FLUSH_MS = 50;

/** A file to which a process writes what it does. What was written survives the process, also if it is killed. */
export class Journal<Entry> {
	readonly #fd: number;
	readonly #timer: ReturnType<typeof setInterval>;
	#lines: string[] = [];

	constructor(path: string) {
		this.#fd = openSync(path, 'a');
		this.#timer = setInterval(() => this.flush(), FLUSH_MS);
		this.#timer.unref();
	}

	/** Writes within 50 ms. */
	add(entry: Entry): void {
		this.#lines.push(JSON.stringify(entry));
	}

	/** Writes at once what was added. */
	flush(): void {
		if (this.#lines.length === 0) return;
		const text = `${this.#lines.join('\n')}\n`;
		this.#lines = [];
		writeSync(this.#fd, text);
	}

	close(): void {
		clearInterval(this.#timer);
		this.flush();
		closeSync(this.#fd);
	}
}

/** Reads what was written, without a last line that is cut off. A process may be killed before it writes anything. */
export function readJournal<Entry>(path: string): Entry[] {
	if (!existsSync(path)) return [];
	const lines = readFileSync(path, 'utf8').split('\n');
	lines.pop();
	return lines.map((line) => JSON.parse(line) as Entry);
}
