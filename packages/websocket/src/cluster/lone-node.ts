import { hostname } from 'node:os';
import type { Registry } from '../sockets/registry.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { NodeInfo } from './cluster-contract.ts';
import type { NodeDirectory } from './node-directory.ts';

/** Knows only of this node. */
export class LoneNode implements NodeDirectory {
	readonly #nodeId: string;
	readonly #registry: Registry<WebSocketConnection>;
	readonly #startedAt = Date.now();

	constructor(nodeId: string, registry: Registry<WebSocketConnection>) {
		this.#nodeId = nodeId;
		this.#registry = registry;
	}

	list(): readonly NodeInfo[] {
		return [
			{
				id: this.#nodeId,
				host: hostname(),
				version: '0.0.0',
				startedAt: this.#startedAt,
				connections: this.#registry.socketCount,
				topics: this.#registry.topicCount,
				ageMs: 0,
				isSelf: true,
			},
		];
	}

	silent(): readonly string[] {
		return [];
	}

	onChange(): () => void {
		return () => {};
	}
}
