import { freePort } from './free-port.ts';
import type { LinkFilter } from './link-filter.ts';
import { createLink, directionsOf } from './proxy-link.ts';
import type { Direction, DrivenLink, FreezeOptions, ProxyLink, Target, ThawOptions } from './proxy-link.ts';
import type { Ending } from './tcp-pipe.ts';

const HOST = '127.0.0.1';
const PORT_TRIES = 5;
const HOLD_BYTES = 16 * 1024 * 1024;

export interface ProxyOptions {
	/** Where connections lead to; default 127.0.0.1. */
	host?: string;
	port: number;
	/**
	 * How much a frozen link reads for each direction; default 16 MiB. After that the sender feels it, as behind a dead
	 * line: 0 fills Redis' output buffer for that client soonest.
	 */
	holdBytes?: number;
}

/**
 * A network between a client and a server, to break at will. What it does to one connection it does with its `links()`;
 * here is what goes for all, or for those that a filter picks. Runs in this thread: it forwards while the test awaits.
 */
export interface TcpProxy {
	readonly host: string;
	/** Stays the same while it refuses. */
	readonly port: number;
	/** How many links there are now; one stays while either side is open, so also when the other was let down by a freeze. */
	readonly connections: number;
	/** How many there were ever. */
	readonly accepted: number;
	/** Those there are now, oldest first. */
	links(): readonly ProxyLink[];
	/** Ends links on both sides, frozen or not, and returns how many. Default `reset` (RST); `end` is a FIN. */
	cut(filter?: LinkFilter, how?: Ending): number;
	/** `true`: nobody listens, so new connections get ECONNREFUSED, while the links live on. `false`: takes them again. */
	refuse(on: boolean): void;
	/**
	 * Passes nothing on, neither bytes nor the end of a side, so that no side notices; returns how many links it hit.
	 * With a filter: of the present links. Without: new ones too, which are accepted and lead nowhere until `thaw`.
	 */
	freeze(filter?: LinkFilter, options?: FreezeOptions): number;
	/** Undoes `freeze`; without a filter for all links, present and new. Returns how many it reached. */
	thaw(filter?: LinkFilter, options?: ThawOptions): number;
	/** Where new connections lead from now on. */
	retarget(target: { host?: string; port: number }): void;
	/** How fast bytes reach the client, for each link and new ones too; `undefined`: as fast as they go. */
	throttle(bytesPerSecond: number | undefined): void;
	/** Cuts all links and listens no more; twice is fine. */
	stop(): Promise<void>;
}

/** Resolves when it listens. A target that can't be reached is no error: its clients are reset. */
export async function startTcpProxy({ holdBytes = HOLD_BYTES, ...first }: ProxyOptions): Promise<TcpProxy> {
	const links = new Set<DrivenLink>();
	const frozen = new Set<Direction>();
	let target = targetOf(first);
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
					const link = createLink({ id: ++accepted, client, target, holdBytes, frozen, bytesPerSecond, onEnd });
					client.data = link;
					links.add(link);
				},
				data: ({ data: link }, bytes) => link.clientSent(bytes),
				drain: ({ data: link }) => link.clientDrained(),
				end: ({ data: link }) => link.clientEnded(),
				close: ({ data: link }, error) => link.clientClosed(error ? 'reset' : 'end'),
			},
		});

	const pick = (filter: LinkFilter = () => true): DrivenLink[] => [...links].filter(filter);

	let listener: Bun.TCPSocketListener<DrivenLink> | undefined = await listenOnSomePort(listen);
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
			const hit = pick(filter);
			for (const link of hit) link.cut(how);
			return hit.length;
		},
		refuse(on) {
			if (stopped) throw new Error('this proxy was stopped for good: start another one');
			if (on) {
				listener?.stop();
				listener = undefined;
			} else {
				listener ??= listen(port);
			}
		},
		freeze(filter, options) {
			const hit = pick(filter);
			for (const link of hit) link.freeze(options);
			if (!filter) for (const direction of directionsOf(options)) frozen.add(direction);
			return hit.length;
		},
		thaw(filter, options) {
			if (!filter) frozen.clear();
			const hit = pick(filter);
			for (const link of hit) link.thaw(options);
			return hit.length;
		},
		retarget(next) {
			target = targetOf(next);
		},
		throttle(rate) {
			for (const link of links) link.throttle(rate);
			bytesPerSecond = rate;
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

/** A free port may be taken before we listen on it; then another one is tried. */
async function listenOnSomePort<Listener>(listen: (port: number) => Listener): Promise<Listener> {
	for (let attempt = 1; ; attempt++) {
		const port = await freePort();
		try {
			return listen(port);
		} catch (error) {
			if (attempt === PORT_TRIES) throw error;
		}
	}
}
