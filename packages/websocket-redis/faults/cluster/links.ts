import { startTcpProxy, type TcpProxy } from '@orijs/testkit';
import type { Backend } from '../harness/backend.ts';
import { subscriberConnections } from '../harness/connections.ts';
import type { NodeConnection } from '../node/protocol.ts';

/** A node's links to all servers of the backend. */
export class Links {
	readonly connection: NodeConnection;
	/** When they were broken, in any way. */
	readonly broken: { readonly from: number; until: number }[] = [];
	readonly #proxies: readonly TcpProxy[];

	static async open({ connection, port, ports }: Backend): Promise<Links> {
		const targets = ports ?? [port as number];
		// A frozen proxy reads nothing: the sender's buffers fill soon, as on a dead connection.
		const proxies = await Promise.all(targets.map((to) => startTcpProxy({ port: to, holdBytes: 0 })));
		const via = Object.fromEntries(targets.map((to, i) => [to, (proxies[i] as TcpProxy).port]));
		const [{ host, port: first }] = proxies as [TcpProxy];
		return new Links(proxies, ports === undefined ? { host, port: first } : { ...connection, via });
	}

	private constructor(proxies: readonly TcpProxy[], connection: NodeConnection) {
		this.#proxies = proxies;
		this.connection = connection;
	}

	/** Cuts all connections, and refuses new ones. */
	cut(): void {
		this.#break();
		for (const proxy of this.#proxies) {
			proxy.refuse(true);
			proxy.cut();
		}
	}

	/** Nothing passes any more, in either direction, and neither side notices. */
	freeze(): void {
		this.#break();
		for (const proxy of this.#proxies) proxy.freeze();
	}

	/** What the servers send to the present subscribers no longer arrives. New connections work. */
	swallow(): void {
		this.#break();
		for (const proxy of this.#proxies) proxy.freeze(subscriberConnections, { direction: 'toClient' });
	}

	repair(): void {
		for (const proxy of this.#proxies) {
			proxy.refuse(false);
			proxy.thaw();
		}
		const last = this.broken.at(-1);
		if (last !== undefined) last.until = Date.now();
	}

	#break(): void {
		this.broken.push({ from: Date.now(), until: Infinity });
	}

	async close(): Promise<void> {
		await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
	}
}
