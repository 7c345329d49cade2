import type { Logger, SocketData } from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { WebSocketOptions } from '../websocket-options.ts';
import type { Slot } from './connection-slots.ts';
import { Precheck } from './precheck.ts';
import { decideUpgrade, type UpgradeDecision } from './app-upgrade-hook.ts';

/** A request that is about to become a WebSocket. */
export interface Arrival {
	readonly req: BunRequest;
	/** The connection's data, as the application's `upgrade` returned it. */
	readonly data: object;
	/** To be given back when the connection ends. */
	readonly slot: Slot;
	/** The client's address, as far as trusted proxies tell it. */
	readonly remoteAddress: string;
}

export interface UpgradeHandlerOptions {
	readonly options: WebSocketOptions;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Makes a WebSocket of a request; returns false when it can't be one. */
	readonly connect: (arrival: Arrival, server: Server<SocketData>) => boolean;
}

/** Where upgrade requests come in: past the door, by the application's `upgrade`, to a connection or a refusal. */
export class UpgradeHandler {
	readonly #options: UpgradeHandlerOptions;
	readonly #door: Precheck;
	/** TurnQueue away those who wait for `upgrade()`. */
	readonly #waiting = new Set<() => void>();
	#isClosed = false;

	/** @throws {ApplicationError} an option can't work */
	constructor(options: UpgradeHandlerOptions) {
		this.#options = options;
		this.#door = new Precheck(options.options, options.limits, options.refusals);
	}

	/** Answers a request; undefined once it has become a WebSocket. */
	async upgrade(req: BunRequest, server: Server<SocketData>): Promise<Response | undefined> {
		if (this.#isClosed) return this.#stopping();
		const admitted = this.#door.admit(req, server);
		if (admitted instanceof Response) return admitted;
		const { slot, remoteAddress } = admitted;
		const decision = await this.#decide(req);
		const refusal = this.#refusal(decision);
		if (refusal === undefined && decision !== undefined && 'data' in decision) {
			if (this.#options.connect({ req, data: decision.data, slot, remoteAddress }, server)) return undefined;
		}
		this.leave(slot);
		return (
			refusal ?? this.#door.refuse('handshake', 'Not a valid WebSocket handshake', 400, { address: remoteAddress })
		);
	}

	#refusal(decision: UpgradeDecision | undefined): Response | undefined {
		if (this.#isClosed || decision === undefined) return this.#stopping();
		if ('data' in decision) return undefined;
		// What failed is in the log; what the application refuses is its own affair.
		this.#options.refusals.count(decision.refusal);
		return decision.response;
	}

	#stopping(): Response {
		return this.#door.refuse('stopping', 'Server is stopping', 503, {});
	}

	/** What `upgrade()` decides, or undefined as soon as the entrance closes. */
	async #decide(req: BunRequest): Promise<UpgradeDecision | undefined> {
		const { options, logger } = this.#options;
		// One promise each: racing against one for all would keep every request until the entrance closes.
		const closed = Promise.withResolvers<undefined>();
		const turnAway = (): void => closed.resolve(undefined);
		this.#waiting.add(turnAway);
		try {
			return await Promise.race([decideUpgrade(req, options, logger), closed.promise]);
		} finally {
			this.#waiting.delete(turnAway);
		}
	}

	/** A connection has ended. */
	leave(slot: Slot): void {
		this.#door.leave(slot);
	}

	/** Lets nobody in any more, and turns away those who wait. */
	close(): void {
		this.#isClosed = true;
		for (const turnAway of this.#waiting) turnAway();
	}
}
