import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEPT_BYTES = 64 * 1024;

export interface OutputFile {
	/** The file descriptor to pass to a child as stdout and stderr. */
	readonly fd: number;
	/** Returns the last 64 KiB written to the file; after `close`, the last 64 KiB written by then. */
	read(): string;
	/** Returns how many bytes have been written to the file; after `close`, how many had been written by then. */
	size(): number;
	close(): void;
}

/**
 * Collects a child's output. Uses a file rather than a pipe, because a full pipe would block the child while the test
 * is busy, and the last lines could arrive only after the child's exit. The file has no name, and disappears when its
 * last user closes it.
 */
export function outputFile(): OutputFile {
	const path = join(tmpdir(), `orijs-output-${crypto.randomUUID()}`);
	const fd = openSync(path, 'wx+');
	unlinkSync(path);
	let final: { readonly text: string; readonly size: number } | undefined;
	return {
		fd,
		read: () => final?.text ?? readTail(fd),
		size: () => final?.size ?? fstatSync(fd).size,
		close() {
			if (final !== undefined) return;
			final = { text: readTail(fd), size: fstatSync(fd).size };
			closeSync(fd);
		},
	};
}

function readTail(fd: number): string {
	const { size } = fstatSync(fd);
	const tail = Buffer.alloc(Math.min(size, KEPT_BYTES));
	// Reads at an explicit position, because the child shares the file offset.
	const length = readSync(fd, tail, 0, tail.length, size - tail.length);
	return tail.toString('utf8', 0, length);
}
