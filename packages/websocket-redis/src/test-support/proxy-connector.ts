import { createConnection, type Socket } from 'node:net';
import type { TcpProxy } from '@orijs/testkit';
import { AbstractConnector, type RedisOptions } from 'ioredis';

type ConnectorConstructor = NonNullable<RedisOptions['Connector']>;

/**
 * A connector for ioredis that connects through proxies, although the client knows servers by their own addresses, such
 * as those that a Cluster names.
 *
 * @param proxies by the port of the server
 */
export function proxyConnector(proxies: ReadonlyMap<number, TcpProxy>): ConnectorConstructor {
	return class extends AbstractConnector {
		readonly #port: number | undefined;

		constructor(options: unknown) {
			const { port, disconnectTimeout = 0 } = options as RedisOptions;
			super(disconnectTimeout);
			this.#port = port;
		}

		override async connect(): Promise<Socket> {
			this.connecting = true;
			const proxy = proxies.get(this.#port ?? 0);
			if (proxy === undefined) throw new Error(`no proxy leads to port ${this.#port}`);
			const stream = createConnection({ host: proxy.host, port: proxy.port });
			stream.once('error', (error) => (this.firstError = error));
			this.stream = stream;
			return stream;
		}
	};
}
