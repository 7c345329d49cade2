import { createThrottle } from './throttle.ts';
import type { Throttle } from './throttle.ts';

/** How a stream ends: with a FIN, after all its bytes, or with an RST, at once. */
export type Ending = 'end' | 'reset';

/** What a pipe needs of its two Bun sockets; either may be missing while it still connects. */
export interface PipeEnds {
	source(): { pause(): void; resume(): void } | undefined;
	/** `write` takes what fits and returns its length, or -1 when the socket is gone; `drain` then tells that more fits. */
	sink(): { write(bytes: Buffer): number; shutdown(): void; terminate(): void } | undefined;
}

/** One direction of a proxied connection. Buffers nothing while the sink keeps up; else it lets the source feel it. */
export interface Pipe {
	/** Bytes that were read and are not written yet. */
	readonly held: number;
	/** Frozen, and holding so much that the rest waits on the sender's side. */
	readonly full: boolean;
	push(bytes: Buffer): void;
	/** The source has ended. Reaches the sink after what is held, and not while frozen. */
	finish(how: Ending): void;
	/** To be called when the sink can take more: it opened, or drained. */
	pump(): void;
	freeze(): void;
	thaw(): void;
	/** Forgets what is held, but not that the source has ended. */
	drop(): void;
	/** `undefined`: as fast as it goes. */
	throttle(bytesPerSecond: number | undefined): void;
	/** Nothing goes any more, either way. */
	close(): void;
}

/** `holdBytes`: how much it reads while it is frozen. */
export function createPipe({ source, sink }: PipeEnds, holdBytes: number): Pipe {
	let queue: Buffer[] = [];
	let held = 0;
	let frozen = false;
	let paused = false;
	let ending: Ending | undefined;
	let ended = false;
	let throttle: Throttle | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;

	const setQueue = (rest: Buffer | undefined): void => {
		queue = rest && rest.length > 0 ? [rest] : [];
		held = rest?.length ?? 0;
	};

	/** Writes until the sink is full, the rate is used up, or nothing is left. */
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
			// Gone: nobody will ever read it, and its `close` handler says so to the source.
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

	const passOnEnding = (): void => {
		if (frozen || ended || !ending || (ending === 'end' && held > 0)) return;
		const socket = sink();
		if (!socket) return;
		ended = true;
		if (ending === 'end') socket.shutdown();
		else socket.terminate();
	};

	const pauseOrResume = (): void => {
		const wanted = held > (frozen ? holdBytes : 0);
		if (wanted === paused) return;
		paused = wanted;
		if (paused) source()?.pause();
		else source()?.resume();
	};

	const pump = (): void => {
		write();
		passOnEnding();
		pauseOrResume();
	};

	return {
		get held() {
			return held;
		},
		get full() {
			return frozen && paused;
		},
		push(bytes) {
			if (ended) return;
			queue.push(bytes);
			held += bytes.length;
			pump();
		},
		finish(how) {
			if (ending !== 'reset') ending = how;
			pump();
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
		close() {
			clearTimeout(timer);
			setQueue(undefined);
			ended = true;
		},
	};
}
