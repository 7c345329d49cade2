import type { SocketData, WebSocketProvider } from '@orijs/websocket';
import type { Server } from 'bun';
import type { EndpointSetup } from './endpoint-setup.ts';
import { mustFitTogether } from './fitting-endpoints.ts';
import { claimProvider, releaseProvider } from './provider-owner.ts';
import { serverOptions } from './server-options.ts';
import type { WebSocketEndpoint } from './websocket-endpoint.ts';

const servers = new WeakMap<Server<SocketData>, StandaloneServer>();

/**
 * The endpoints that stand alone on one server. Those that share a provider also share its start and stop: the first
 * starts it, the last to stop stops it.
 */
export class StandaloneServer {
	readonly #server: Server<SocketData>;
	/** The endpoints that have started or are starting. */
	readonly #setups = new Set<EndpointSetup>();

	private constructor(server: Server<SocketData>) {
		this.#server = server;
	}

	static of(server: Server<SocketData>): StandaloneServer {
		let known = servers.get(server);
		if (known === undefined) servers.set(server, (known = new StandaloneServer(server)));
		return known;
	}

	/** Whether it is this server. */
	is(server: Server<SocketData>): boolean {
		return this.#server === server;
	}

	/**
	 * Adds an endpoint.
	 *
	 * @throws {ApplicationError} another endpoint of the server has the same path or does not fit for another reason, or
	 * the provider is in use elsewhere
	 */
	add(setup: EndpointSetup): void {
		mustFitTogether('start()', [...this.#setups, setup]);
		claimProvider(setup.provider, this, 'server');
		this.#setups.add(setup);
	}

	/** Called when the provider of an endpoint has started, and when an endpoint has left. */
	configure(provider: WebSocketProvider): void {
		const endpoints = this.#users(provider).map(({ running }) => running);
		const running = endpoints.filter((endpoint): endpoint is WebSocketEndpoint => endpoint !== undefined);
		if (running.length > 0) provider.setServer(this.#server, serverOptions(running));
	}

	/**
	 * Removes an endpoint that has stopped or could not start. Stops its provider if no other endpoint uses it. Does
	 * nothing if it was removed before.
	 */
	async remove(setup: EndpointSetup): Promise<void> {
		const { provider } = setup;
		if (!this.#setups.delete(setup)) return;
		if (this.#users(provider).length > 0) return this.configure(provider);
		try {
			await provider.stop();
		} finally {
			// Another endpoint may have been added while the provider stopped.
			if (this.#users(provider).length === 0) releaseProvider(provider, this);
		}
	}

	#users(provider: WebSocketProvider): EndpointSetup[] {
		return [...this.#setups].filter((setup) => setup.provider === provider);
	}
}
