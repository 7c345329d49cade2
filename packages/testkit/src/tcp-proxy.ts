import { freePort } from './free-port.ts';
import type { LinkFilter } from './link-filter.ts';
import { createLink, directionsOf } from './proxy-link.ts';
import type { Direction, DrivenLink, FreezeOptions, ProxyLink, Target, ThawOptions } from './proxy-link.ts';
import type { Ending } from './tcp-pipe.ts';

const HOST = '127.0.0.1';
const PORT_TRIES = 5;
const HOLD_BYTES = 16 * 1024 * 1024;

export interface ProxyOptions {
	/** The host of the target. Default 127.0.0.1. */
	host?: string;
	port: number;
	/**
	 * How many bytes a frozen link reads per direction. Default 16 MiB. Beyond that, the sender gets backpressure, as
	 * from a dead connection. With 0, Redis's output buffer for the client fills as early as possible.
	 */
	holdBytes?: number;
}

/**
 * A network between clients and a server, for injecting faults. Each of its `links()` has methods for one connection;
 * the methods here apply to all links, or to those that a filter selects. The proxy runs in this thread, so it can only
 * forward while the test awaits something.
 */
export interface TcpProxy {
	readonly host: string;
	/** The port. It stays the same even while connections are refused. */
	readonly port: number;
	/**
	 * The current number of links. A link counts while either side is open. If it is frozen, an open side can't tell
	 * that the other side has closed.
	 */
	readonly connections: number;
	/** The total number of links accepted so far. */
	readonly accepted: number;
	/** Returns the current links, oldest first. */
	links(): readonly ProxyLink[];
	/**
	 * Closes both sides of links, frozen or not. Returns the number of closed links. `reset` (the default) sends an RST,
	 * `end` a FIN.
	 */
	cut(filter?: LinkFilter, how?: Ending): number;
	/**
	 * With `true`, stops listening: new connections get ECONNREFUSED, but links stay open. With `false`, listens again.
	 */
	refuse(on: boolean): void;
	/**
	 * Stops forwarding bytes, FINs and RSTs, without either side noticing. Returns the number of current links that are
	 * affected. Without a filter, new links are frozen too: they are accepted, but not connected to the target until
	 * `thaw`.
	 */
	freeze(filter?: LinkFilter, options?: FreezeOptions): number;
	/**
	 * Undoes `freeze`; without a filter, for all current and new links. Returns the number of current links that are
	 * affected.
	 */
	thaw(filter?: LinkFilter, options?: ThawOptions): number;
	/** Sets the target of new connections. */
	retarget(target: { host?: string; port: number }): void;
	/**
	 * Limits the rate of each current and new link; `undefined` removes the limit. Default direction: towards the
	 * client.
	 */
	throttle(bytesPerSecond: number | undefined, direction?: Direction): void;
	/**
	 * Sets the delay of bytes, FINs and RSTs on all current and new links, in milliseconds. 0 means no delay. Applies to
	 * both directions, unless `options` names one. Bytes in transit keep their delay, and later bytes never overtake
	 * them.
	 */
	delay(ms: number, options?: FreezeOptions): void;
	/** Cuts all links and stops listening. Can be called more than once. */
	stop(): Promise<void>;
}

/** Starts a proxy. Resolves when it is listening. If the target is unreachable, clients are reset. */
export async function startTcpProxy({ holdBytes = HOLD_BYTES, ...first }: ProxyOptions): Promise<TcpProxy> {
	const links = new Set<DrivenLink>();
	const frozen = new Set<Direction>();
	let target = targetOf(first);
	const delays: Record<Direction, number> = { toServer: 0, toClient: 0 };
	const bytesPerSecond: Record<Direction, number | undefined> = { toServer: undefined, toClient: undefined };
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
		throttle(rate, direction = 'toClient') {
			for (const link of links) link.throttle(direction, rate);
			bytesPerSecond[direction] = rate;
		},
		delay(ms, options) {
			if (!(ms >= 0)) throw new RangeError(`a delay must be a non-negative number of milliseconds, not ${ms}`);
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

/** Listens on a free port. If another process has taken it in the meantime, tries again with another port. */
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
