import type { Logger, SocketData } from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { WebSocketOptions } from '../websocket-options.ts';
import { decideUpgrade, type UpgradeDecision } from './app-upgrade-hook.ts';
import type { ConnectionSlots, Slot } from './connection-slots.ts';
import { type AcceptingHeaders, withSubprotocol } from './handshake-headers.ts';
import { isUpgrade, plainAnswer } from './plain-request.ts';
import { Precheck } from './precheck.ts';
import { Subprotocols } from './subprotocols.ts';

/** What the application has decided on a request that becomes a WebSocket. */
interface AcceptedUpgrade {
	/** The connection's data, as returned by the application's `upgrade`. */
	readonly data: object;
	/** The headers to add to the response. */
	readonly headers: AcceptingHeaders | undefined;
	/** Who the user is, as set by `upgrade`. */
	readonly userId: string | undefined;
	/** The subprotocol, which is among the headers; undefined if none was chosen. */
	readonly subprotocol: string | undefined;
}

/** An accepted upgrade request, about to become a WebSocket. */
export interface UpgradeCandidate extends AcceptedUpgrade {
	readonly req: BunRequest;
	/** Must be released when the connection ends. */
	readonly slot: Slot;
	/** The client's own address, even if the request came through trusted proxies. */
	readonly remoteAddress: string;
	/** The same, if a trusted proxy has said so; undefined if the socket itself knows it. */
	readonly forwardedFor: string | undefined;
	/** When the request arrived, before `upgrade` was asked, in milliseconds since the epoch. */
	readonly connectedAt: number;
}

/** `invalid` if the handshake is, and `miswired` if the server has the handlers of something else. */
export type UpgradeOutcome = 'connected' | 'invalid' | 'miswired';

export interface UpgradeHandlerOptions {
	readonly options: WebSocketOptions;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Upgrades a request to a WebSocket. */
	readonly connect: (candidate: UpgradeCandidate, server: Server<SocketData>) => UpgradeOutcome;
}

/**
 * Handles upgrade requests: runs the precheck, calls the application's `upgrade`, and then either opens the connection
 * or refuses it.
 */
export class UpgradeHandler {
	readonly #options: UpgradeHandlerOptions;
	readonly #faults: FaultLog;
	readonly #precheck: Precheck;
	readonly #subprotocols: Subprotocols;
	/** One callback per request that is waiting for `upgrade()`. Calling it refuses the request. */
	readonly #refuseWaiting = new Set<() => void>();
	#isClosed = false;

	/** @throws {ApplicationError} an option is invalid */
	constructor(options: UpgradeHandlerOptions) {
		this.#options = options;
		this.#faults = new FaultLog(options.logger);
		this.#precheck = new Precheck(options.options, options.limits, options.refusals);
		this.#subprotocols = new Subprotocols(options.options.subprotocol);
	}

	/** Handles a request. Resolves with the response, or with undefined if the request has become a WebSocket. */
	async upgrade(req: BunRequest, server: Server<SocketData>): Promise<Response | undefined> {
		if (this.#isClosed) return isUpgrade(req) ? this.#stopping() : plainAnswer('stopping');
		const connectedAt = Date.now();
		const passed = this.#precheck.check(req, server);
		if (passed instanceof Response) return passed;
		const { slot, remoteAddress } = passed;
		const accepted = this.#accept(await this.#decide(req), req);
		let outcome: UpgradeOutcome = 'invalid';
		try {
			if (!(accepted instanceof Response))
				outcome = this.#options.connect({ req, connectedAt, ...passed, ...accepted }, server);
			if (outcome === 'connected') return undefined;
		} catch (err) {
			this.#faults.failed({ what: 'A connection could not be upgraded', err }, {});
			this.slots.release(slot);
			return new Response('Internal Server Error', { status: 500 });
		}
		this.slots.release(slot);
		if (accepted instanceof Response) return accepted;
		if (outcome === 'miswired') return this.#precheck.refuse('miswired', 'Internal Server Error', 500, {});
		// A client that has left is no fault of its handshake. It doesn't get this response.
		if (req.signal.aborted) return new Response(null, { status: 400 });
		return this.#precheck.refuse('handshake', 'Not a valid WebSocket handshake', 400, { address: remoteAddress });
	}

	/** Returns what the application's decision means for the handshake, or the response that refuses the request. */
	#accept(decision: UpgradeDecision | undefined, req: BunRequest): AcceptedUpgrade | Response {
		const { refusals } = this.#options;
		if (this.#isClosed || decision === undefined) return this.#stopping();
		if ('refusal' in decision) {
			// `decideUpgrade` has already logged failures, and a refusal by the application needs no log line.
			refusals.count(decision.refusal);
			return decision.response;
		}
		const { data, headers, userId } = decision;
		const offer = req.headers.get('sec-websocket-protocol');
		if (offer === null) return { data, headers, userId, subprotocol: undefined };
		try {
			const subprotocol = this.#subprotocols.choose(offer, req);
			return { data, headers: withSubprotocol(headers, subprotocol), userId, subprotocol };
		} catch (err) {
			this.#faults.failed({ what: 'subprotocol() failed', err }, {});
			refusals.count('upgrade');
			return new Response('Internal Server Error', { status: 500 });
		}
	}

	#stopping(): Response {
		return this.#precheck.refuse('stopping', 'Server is stopping', 503, {});
	}

	/** Resolves with the decision of `upgrade()`, or with undefined as soon as this handler closes. */
	async #decide(req: BunRequest): Promise<UpgradeDecision | undefined> {
		const { options } = this.#options;
		// Each request has its own promise, because racing against one shared promise would retain every request until
		// the handler closes.
		const closed = Promise.withResolvers<undefined>();
		const refuse = (): void => closed.resolve(undefined);
		this.#refuseWaiting.add(refuse);
		try {
			return await Promise.race([decideUpgrade(req, options, this.#faults), closed.promise]);
		} finally {
			this.#refuseWaiting.delete(refuse);
		}
	}

	/** The slots of all connections and pending requests. */
	get slots(): ConnectionSlots {
		return this.#precheck.slots;
	}

	/** Refuses all further requests, and those that are waiting for `upgrade()`. */
	close(): void {
		this.#isClosed = true;
		for (const refuse of this.#refuseWaiting) refuse();
	}
}
