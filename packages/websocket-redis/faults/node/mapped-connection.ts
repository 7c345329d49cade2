import { createConnection } from 'node:net';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { RedisConnection } from '../../src/index.ts';
import type { NodeConnection, Via } from './protocol.ts';

/** The provider's connection for these settings. The servers name each other's addresses; `via` is used instead. */
export function connectionOf(connection: NodeConnection): RedisConnection {
	if (!('via' in connection) || connection.via === undefined) return connection;
	const { via, ...direct } = connection;
	if ('cluster' in direct) return { ...direct, options: { Connector: connectorTo(via) } };
	const natMap = Object.entries(via).map(([port, to]) => [`${HOST}:${port}`, { host: HOST, port: to }] as const);
	return { ...direct, natMap: Object.fromEntries(natMap) };
}

const HOST = '127.0.0.1';

/** ioredis has a `natMap` for Sentinels, but none that is used for single nodes of a Cluster. */
function connectorTo(via: Via): NonNullable<RedisOptions['Connector']> {
	return class extends AbstractConnector {
		readonly #port: number;

		constructor({ port, disconnectTimeout }: { port: number; disconnectTimeout: number }) {
			super(disconnectTimeout);
			this.#port = via[port] ?? port;
		}

		async connect(): Promise<ReturnType<typeof createConnection>> {
			this.connecting = true;
			return (this.stream = createConnection({ host: HOST, port: this.#port }));
		}
	} as NonNullable<RedisOptions['Connector']>;
}
