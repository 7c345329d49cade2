import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEPT_BYTES = 64 * 1024;

export interface OutputFile {
	/** For a child's stdout and stderr. */
	readonly fd: number;
	/** The last 64 KiB written to it; after `close`, as they were then. */
	read(): string;
	close(): void;
}

/**
 * Takes a child's output without anybody having to read it: a full pipe would block the child while the test is busy,
 * and a pipe's last lines may come after the exit they explain. The file has no name and vanishes with its last user.
 */
export function outputFile(): OutputFile {
	const path = join(tmpdir(), `orijs-output-${crypto.randomUUID()}`);
	const fd = openSync(path, 'wx+');
	unlinkSync(path);
	let final: string | undefined;
	return {
		fd,
		read: () => final ?? readTail(fd),
		close() {
			if (final !== undefined) return;
			final = readTail(fd);
			closeSync(fd);
		},
	};
}

function readTail(fd: number): string {
	const { size } = fstatSync(fd);
	const tail = Buffer.alloc(Math.min(size, KEPT_BYTES));
	// Read by position: the offset belongs to the child, which shares it.
	const length = readSync(fd, tail, 0, tail.length, size - tail.length);
	return tail.toString('utf8', 0, length);
}
