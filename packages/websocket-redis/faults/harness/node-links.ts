import { startTcpProxy, type TcpProxy } from '@orijs/testkit';
import type { NodeConnection, Via } from '../node/protocol.ts';
import type { Backend } from './backend.ts';
import type { LinkDelay } from './condition.ts';

/** The proxies between nodes and the backend. */
export class NodeLinks {
	readonly #proxies = new Map<string, TcpProxy>();
	readonly #others: TcpProxy[] = [];

	/** The only proxy between a node and its server. */
	proxy(node: string): TcpProxy {
		const proxy = this.#proxies.get(node);
		if (proxy === undefined) throw new Error(`node ${node} has no proxy: list it in the scenario's \`proxied\``);
		return proxy;
	}

	/** Opens a proxy to one server. Returns the node's connection. */
	async toOne(node: string, port: number, delay?: LinkDelay): Promise<NodeConnection> {
		const proxy = await delayed(port, delay);
		this.#proxies.set(node, proxy);
		return { host: proxy.host, port: proxy.port };
	}

	/** Opens a proxy to each server of a backend. Returns the node's connection. */
	async toEach({ connection, ports = [] }: Backend, delay?: LinkDelay): Promise<NodeConnection> {
		const via: Record<number, number> = {};
		for (const port of ports) {
			const proxy = await delayed(port, delay);
			this.#others.push(proxy);
			via[port] = proxy.port;
		}
		return { ...connection, via: via satisfies Via };
	}

	async close(): Promise<void> {
		await Promise.all([...this.#proxies.values(), ...this.#others].map((proxy) => proxy.stop()));
	}
}

async function delayed(port: number, delay?: LinkDelay): Promise<TcpProxy> {
	// A frozen proxy reads nothing: the sender's buffers fill soon, as on a dead connection.
	const proxy = await startTcpProxy({ port, holdBytes: 0 });
	proxy.delay(delay?.toServer ?? 0, { direction: 'toServer' });
	proxy.delay(delay?.toClient ?? 0, { direction: 'toClient' });
	return proxy;
}
