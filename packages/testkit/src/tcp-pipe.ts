import { createDelayLine } from './delay-line.ts';
import { createThrottle } from './throttle.ts';
import type { Throttle } from './throttle.ts';

/** How a stream ends: with a FIN after all its bytes, or immediately with an RST. */
export type Ending = 'end' | 'reset';

/** The parts of two Bun sockets that a pipe needs. A socket that is still connecting is `undefined`. */
export interface PipeEnds {
	source(): { pause(): void; resume(): void } | undefined;
	/** `write` returns how many bytes fit, or -1 if the socket is gone; its `drain` event reports that more fit. */
	sink(): { write(bytes: Buffer): number; shutdown(): void; terminate(): void } | undefined;
}

/**
 * One direction of a proxied connection. If the sink does not keep up, the source is paused, rather than its bytes
 * buffered.
 */
export interface Pipe {
	/** The number of bytes read but not yet written. */
	readonly held: number;
	/** Whether the pipe is frozen and holds so much that the source is paused. */
	readonly full: boolean;
	push(bytes: Buffer): void;
	/**
	 * Must be called when the source has ended. Forwards a FIN after the held bytes, an RST immediately, or both after
	 * the delay, and neither while frozen.
	 */
	finish(how: Ending): void;
	/** Must be called when the sink can take more bytes, because it has opened or drained. */
	pump(): void;
	freeze(): void;
	thaw(): void;
	/** Drops the held bytes, but still forwards the source's FIN or RST. */
	drop(): void;
	/** Limits the rate; `undefined` removes the limit. */
	throttle(bytesPerSecond: number | undefined): void;
	/** How long what arrives from now on takes, in milliseconds; 0: no delay. It never overtakes what arrived before. */
	delay(ms: number): void;
	/** Drops the held bytes and forwards nothing more. */
	close(): void;
}

/** Creates a pipe. `holdBytes` limits how many bytes it reads while frozen. */
export function createPipe({ source, sink }: PipeEnds, holdBytes: number): Pipe {
	let queue: Buffer[] = [];
	let held = 0;
	let frozen = false;
	let paused = false;
	let ending: Ending | undefined;
	let ended = false;
	let throttle: Throttle | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;
	const line = createDelayLine();
	/** Bytes in the delay line. */
	let delayed = 0;

	const setQueue = (rest: Buffer | undefined): void => {
		queue = rest && rest.length > 0 ? [rest] : [];
		held = rest?.length ?? 0;
	};

	/** Writes until the sink is full, the rate limit is reached, or everything is written. */
	const write = (): void => {
		const socket = sink();
		if (frozen || held === 0 || !socket) return;
		let rest = queue.length === 1 && queue[0] ? queue[0] : Buffer.concat(queue);
		while (rest.length > 0) {
			const allowed = Math.min(rest.length, throttle?.allowed() ?? rest.length);
			if (allowed === 0) {
				schedule();
				break;
			}
			const written = socket.write(rest.subarray(0, allowed));
			// The socket is gone, and its `close` handler will end the source, so the rest is dropped.
			if (written < 0) rest = rest.subarray(rest.length);
			if (written <= 0) break;
			throttle?.spend(written);
			rest = rest.subarray(written);
			if (written < allowed) break;
		}
		setQueue(rest);
	};

	const schedule = (): void => {
		clearTimeout(timer);
		timer = setTimeout(pump, Math.ceil(throttle?.wait() ?? 0));
	};

	const forwardEnding = (): void => {
		if (frozen || ended || !ending || (ending === 'end' && held > 0)) return;
		const socket = sink();
		if (!socket) return;
		ended = true;
		if (ending === 'end') socket.shutdown();
		else socket.terminate();
	};

	const pauseOrResume = (): void => {
		const shouldPause = held > (frozen ? holdBytes : 0);
		if (shouldPause === paused) return;
		paused = shouldPause;
		if (paused) source()?.pause();
		else source()?.resume();
	};

	const pump = (): void => {
		write();
		forwardEnding();
		pauseOrResume();
	};

	return {
		get held() {
			return held + delayed;
		},
		get full() {
			return frozen && paused;
		},
		push(bytes) {
			if (ended) return;
			delayed += bytes.length;
			line.pass(() => {
				delayed -= bytes.length;
				queue.push(bytes);
				held += bytes.length;
				pump();
			});
		},
		finish(how) {
			line.pass(() => {
				if (ending !== 'reset') ending = how;
				pump();
			});
		},
		pump,
		freeze() {
			frozen = true;
			pauseOrResume();
		},
		thaw() {
			frozen = false;
			pump();
		},
		drop() {
			setQueue(undefined);
			pump();
		},
		throttle(bytesPerSecond) {
			throttle = bytesPerSecond === undefined ? undefined : createThrottle(bytesPerSecond);
			clearTimeout(timer);
			pump();
		},
		delay: (ms) => line.delay(ms),
		close() {
			clearTimeout(timer);
			line.close();
			delayed = 0;
			setQueue(undefined);
			ended = true;
		},
	};
}
