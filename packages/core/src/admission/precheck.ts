import type { SocketData } from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { AllLimits } from '../limits.ts';
import type { Refusal, Refusals } from '../refusals.ts';
import type { WebSocketOptions } from '../websocket-options.ts';
import { ClientAddresses, UNIX } from './client-address.ts';
import { ConnectionSlots, type Slot } from './connection-slots.ts';
import { type OriginCheck, originCheck } from './origin.ts';
import { isUpgrade, pageOrigin, plainAnswer, type PlainRefusal } from './plain-request.ts';
import { explainRefusedOrigin } from './refused-origin.ts';

/** An upgrade request that has passed the precheck; the application's `upgrade` decides next. */
export interface PassedPrecheck {
	readonly slot: Slot;
	/** The client's own address, even if the request came through trusted proxies; `unix` if it has none. */
	readonly remoteAddress: string;
	/** The same, if a trusted proxy has said so; undefined if the socket itself knows it. */
	readonly forwardedFor: string | undefined;
}

/**
 * The largest `Retry-After` of a refusal, in seconds. Each value is random, so that refused clients don't all return at
 * the same time.
 */
const MAX_RETRY_S = 5;

/**
 * Checks the headers and the origin of an upgrade request, and the connection limits, before the application sees it.
 */
export class Precheck {
	readonly #mayConnect: OriginCheck;
	readonly #hasList: boolean;
	readonly #addresses: ClientAddresses;
	readonly slots: ConnectionSlots;
	readonly #refusals: Refusals;

	constructor({ allowedOrigins, trustedProxies }: WebSocketOptions, limits: AllLimits, refusals: Refusals) {
		this.#mayConnect = originCheck(allowedOrigins);
		this.#hasList = allowedOrigins !== undefined;
		this.#addresses = new ClientAddresses(trustedProxies);
		this.slots = new ConnectionSlots(limits);
		this.#refusals = refusals;
	}

	/**
	 * Checks a request. If it passes, takes a connection slot; otherwise returns the response that refuses the request.
	 */
	check(req: BunRequest, server: Server<SocketData>): PassedPrecheck | Response {
		const { headers } = req;
		if (!isUpgrade(req)) return plainAnswer(this.#refusalOf(req, server));
		const peer = peerOf(req, server);
		const remoteAddress = this.#addresses.of(headers, peer);
		const origin = headers.get('origin');
		if (origin !== null && !this.#mayConnect(origin, this.#hostOf(headers, peer))) {
			const details = { address: remoteAddress, ...this.#explain(origin, headers, peer, remoteAddress) };
			return this.refuse('origin', 'This origin may not connect', 403, details);
		}
		const slot = this.slots.take(remoteAddress);
		if (slot === 'connections') return this.refuse(slot, 'Too many connections', 503, { address: remoteAddress });
		if (slot === 'connectionsPerAddress') {
			return this.refuse(slot, 'Too many connections from this address', 429, { address: remoteAddress });
		}
		const isForwarded = headers.has('x-forwarded-for') && this.#addresses.isTrusted(peer);
		return { slot, remoteAddress, forwardedFor: isForwarded ? remoteAddress : undefined };
	}

	/** Returns why a client would be refused if its plain request were an upgrade. Counts and logs nothing. */
	#refusalOf(req: BunRequest, server: Server<SocketData>): PlainRefusal | undefined {
		const { headers } = req;
		const peer = peerOf(req, server);
		const origin = pageOrigin(headers);
		if (origin !== null && !this.#mayConnect(origin, this.#hostOf(headers, peer))) return 'origin';
		return this.slots.reached(this.#addresses.of(headers, peer));
	}

	/** Counts and logs a refusal and returns its response, with a `Retry-After` if the status is 429 or 503. */
	refuse(refusal: Refusal, text: string, status: number, details: Record<string, unknown>): Response {
		this.#refusals.add(refusal, details);
		const mayRetry = status === 503 || status === 429;
		const retryAfter = String(1 + Math.floor(Math.random() * MAX_RETRY_S));
		return new Response(text, { status, headers: mayRetry ? { 'Retry-After': retryAfter } : {} });
	}

	/** Returns the host that the client requested, as reported by a trusted proxy if there is one. */
	#hostOf(headers: Headers, peer: string): string | null {
		const forwarded = this.#addresses.isTrusted(peer) ? forwardedHost(headers) : null;
		return forwarded ?? headers.get('host');
	}

	#explain(origin: string, headers: Headers, peer: string, remoteAddress: string): object {
		const forwarded = forwardedHost(headers);
		const isTrusted = this.#addresses.isTrusted(peer);
		return explainRefusedOrigin({
			origin,
			hasList: this.#hasList,
			host: this.#hostOf(headers, peer),
			hostHeader: isTrusted && forwarded !== null ? 'X-Forwarded-Host' : 'Host',
			ignoredHost: isTrusted ? null : forwarded,
			// For an untrusted peer, this is its own address, in the form that `trustedProxies` takes.
			peer: remoteAddress,
		});
	}
}

/** Returns the address that a request came from. Bun has none for a Unix socket, or a client that has already left. */
function peerOf(req: BunRequest, server: Server<SocketData>): string {
	return server.requestIP(req)?.address ?? (server.port === undefined ? UNIX : '');
}

/** Returns the `X-Forwarded-Host` that the first of several proxies has set. */
function forwardedHost(headers: Headers): string | null {
	return headers.get('x-forwarded-host')?.split(',')[0]?.trim() ?? null;
}
