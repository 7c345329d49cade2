import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Tracks how many bytes the load process has confirmed. Each confirmation is a line of text with the total. */
export class Credit {
	#confirmed = 0;
	#rest = '';
	#wake: (() => void) | undefined;
	readonly #server = createServer((socket) => {
		socket.setNoDelay(true);
		socket.on('error', () => {});
		socket.on('data', (chunk) => this.#read(chunk.toString('latin1')));
	});

	async listen(): Promise<number> {
		this.#server.listen(0, '127.0.0.1');
		await once(this.#server, 'listening');
		return (this.#server.address() as AddressInfo).port;
	}

	reset(): void {
		this.#confirmed = 0;
	}

	/**
	 * Resolves with true once at most `unconfirmed` of the `sent` bytes are unconfirmed, or with false after a stall.
	 */
	async atMost(unconfirmed: number, sent: number): Promise<boolean> {
		while (sent - this.#confirmed > unconfirmed) {
			// Node 20 has no Promise.withResolvers.
			const moved = await new Promise<boolean>((resolve) => {
				const timer = setTimeout(() => resolve(false), STALLED_MS);
				this.#wake = () => {
					clearTimeout(timer);
					resolve(true);
				};
			});
			if (!moved) return false;
		}
		return true;
	}

	#read(text: string): void {
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop() ?? '';
		const last = lines.at(-1);
		if (last === undefined) return;
		this.#confirmed = Number(last);
		this.#wake?.();
	}
}

/** How long to wait for a confirmation, in milliseconds. After that, the missing bytes count as lost. */
const STALLED_MS = 3_000;
