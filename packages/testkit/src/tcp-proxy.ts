import { freePort } from './free-port.ts';
import type { LinkFilter } from './link-filter.ts';
import { createLink, directionsOf } from './proxy-link.ts';
import type { Direction, DrivenLink, FreezeOptions, ProxyLink, Target, ThawOptions } from './proxy-link.ts';
import type { Ending } from './tcp-pipe.ts';

const HOST = '127.0.0.1';
const PORT_TRIES = 5;
const HOLD_BYTES = 16 * 1024 * 1024;

export interface ProxyOptions {
	/** Host of the target; default 127.0.0.1. */
	host?: string;
	port: number;
	/**
	 * How many bytes a frozen link reads per direction; default 16 MiB. Then the sender gets backpressure, as from a
	 * dead connection: with 0, Redis's output buffer for that client fills soonest.
	 */
	holdBytes?: number;
}

/**
 * A network between clients and a server, for injecting faults. Each of its `links()` has methods for one connection;
 * the methods here apply to all, or to those that a filter selects. Runs in this thread: it forwards while the test
 * awaits.
 */
export interface TcpProxy {
	readonly host: string;
	/** Stays the same while it refuses connections. */
	readonly port: number;
	/**
	 * The current number of links. A link counts while either side is open, also if a freeze hides the end of the other.
	 */
	readonly connections: number;
	/** The number of links so far. */
	readonly accepted: number;
	/** Returns the current links, oldest first. */
	links(): readonly ProxyLink[];
	/** Closes both sides of links, frozen or not, and returns how many. Default `reset` (RST); `end` is a FIN. */
	cut(filter?: LinkFilter, how?: Ending): number;
	/** `true`: stops listening, so new connections get ECONNREFUSED; links stay open. `false`: listens again. */
	refuse(on: boolean): void;
	/**
	 * Stops forwarding bytes, FINs and RSTs, so that neither side notices; returns how many links are affected. With a
	 * filter: only current links. Without: new ones too, which are accepted but not connected to the target until
	 * `thaw`.
	 */
	freeze(filter?: LinkFilter, options?: FreezeOptions): number;
	/** Undoes `freeze`; without a filter, for all current and new links. Returns how many links are affected. */
	thaw(filter?: LinkFilter, options?: ThawOptions): number;
	/** Sets the target of new connections. */
	retarget(target: { host?: string; port: number }): void;
	/** Limits the rate to the client, for each current and new link; `undefined`: no limit. */
	throttle(bytesPerSecond: number | undefined): void;
	/**
	 * Sets how long bytes, FINs and RSTs take, for each current and new link, in milliseconds; 0: no delay. Without a
	 * direction: both take that long. What is on its way keeps its delay, and is never overtaken.
	 */
	delay(ms: number, options?: FreezeOptions): void;
	/** Cuts all links and stops listening. Idempotent. */
	stop(): Promise<void>;
}

/** Resolves when it is listening. An unreachable target is not an error: its clients are reset. */
export async function startTcpProxy({ holdBytes = HOLD_BYTES, ...first }: ProxyOptions): Promise<TcpProxy> {
	const links = new Set<DrivenLink>();
	const frozen = new Set<Direction>();
	let target = targetOf(first);
	const delays: Record<Direction, number> = { toServer: 0, toClient: 0 };
	let bytesPerSecond: number | undefined;
	let accepted = 0;
	let stopped = false;

	const listen = (port: number): Bun.TCPSocketListener<DrivenLink> =>
		Bun.listen<DrivenLink>({
			hostname: HOST,
			port,
			allowHalfOpen: true,
			socket: {
				open(client) {
					const onEnd = (): void => void links.delete(link);
					const link = createLink({
						id: ++accepted,
						client,
						target,
						holdBytes,
						frozen,
						bytesPerSecond,
						delays,
						onEnd,
					});
					client.data = link;
					links.add(link);
				},
				data: ({ data: link }, bytes) => link.clientSent(bytes),
				drain: ({ data: link }) => link.clientDrained(),
				end: ({ data: link }) => link.clientEnded(),
				close: ({ data: link }, error) => link.clientClosed(error ? 'reset' : 'end'),
			},
		});

	const select = (filter: LinkFilter = () => true): DrivenLink[] => [...links].filter(filter);

	let listener: Bun.TCPSocketListener<DrivenLink> | undefined = await listenOnFreePort(listen);
	const { port } = listener;

	return {
		host: HOST,
		port,
		get connections() {
			return links.size;
		},
		get accepted() {
			return accepted;
		},
		links: () => [...links],
		cut(filter, how) {
			const selected = select(filter);
			for (const link of selected) link.cut(how);
			return selected.length;
		},
		refuse(on) {
			if (stopped) throw new Error('this proxy was stopped: start a new one');
			if (on) {
				listener?.stop();
				listener = undefined;
			} else {
				listener ??= listen(port);
			}
		},
		freeze(filter, options) {
			const selected = select(filter);
			for (const link of selected) link.freeze(options);
			if (!filter) for (const direction of directionsOf(options)) frozen.add(direction);
			return selected.length;
		},
		thaw(filter, options) {
			if (!filter) frozen.clear();
			const selected = select(filter);
			for (const link of selected) link.thaw(options);
			return selected.length;
		},
		retarget(next) {
			target = targetOf(next);
		},
		throttle(rate) {
			for (const link of links) link.throttle(rate);
			bytesPerSecond = rate;
		},
		delay(ms, options) {
			if (!(ms >= 0)) throw new RangeError(`a delay must be a number of milliseconds from 0, not ${ms}`);
			for (const direction of directionsOf(options)) {
				delays[direction] = ms;
				for (const link of links) link.delay(direction, ms);
			}
		},
		async stop() {
			stopped = true;
			listener?.stop();
			listener = undefined;
			for (const link of links) link.cut();
		},
	};
}

function targetOf({ host = HOST, port }: { host?: string; port: number }): Target {
	return { host, port };
}

/** Another process may take a free port before the proxy listens on it; then retries with another port. */
async function listenOnFreePort<Listener>(listen: (port: number) => Listener): Promise<Listener> {
	for (let attempt = 1; ; attempt++) {
		const port = await freePort();
		try {
			return listen(port);
		} catch (error) {
			if (attempt === PORT_TRIES) throw error;
		}
	}
}
