import type { SocketData } from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { AllLimits } from '../limits.ts';
import type { Refusal, Refusals } from '../refusals.ts';
import type { WebSocketOptions } from '../websocket-options.ts';
import { ClientAddresses } from './client-address.ts';
import { ConnectionSlots, type Slot } from './connection-slots.ts';
import { type OriginCheck, originCheck } from './origin.ts';

/** A request that may go on to the application's `upgrade`. */
export interface Admitted {
	readonly slot: Slot;
	/** The client's address, as far as trusted proxies tell it. */
	readonly remoteAddress: string;
}

/** How long refused clients should stay away at most, in seconds; a random part of it each, so that they don't all come back at once. */
const LONGEST_RETRY_S = 5;

/** What an upgrade request has to get past before the application is asked: all that can be told from its head. */
export class Precheck {
	readonly #mayConnect: OriginCheck;
	readonly #addresses: ClientAddresses;
	readonly #slots: ConnectionSlots;
	readonly #refusals: Refusals;

	constructor({ allowedOrigins, trustedProxies }: WebSocketOptions, limits: AllLimits, refusals: Refusals) {
		this.#mayConnect = originCheck(allowedOrigins);
		this.#addresses = new ClientAddresses(trustedProxies);
		this.#slots = new ConnectionSlots(limits);
		this.#refusals = refusals;
	}

	/** Lets a request in, or says no to it. */
	admit(req: BunRequest, server: Server<SocketData>): Admitted | Response {
		const { headers } = req;
		if (headers.get('upgrade')?.toLowerCase() !== 'websocket') {
			return new Response('This is a WebSocket endpoint', { status: 426, headers: { Upgrade: 'websocket' } });
		}
		const peer = server.requestIP(req)?.address ?? '';
		const remoteAddress = this.#addresses.of(headers, peer);
		const origin = headers.get('origin');
		if (origin !== null && !this.#mayConnect(origin, this.#hostOf(headers, peer))) {
			return this.refuse('origin', 'This origin may not connect', 403, { address: remoteAddress, origin });
		}
		const slot = this.#slots.take(remoteAddress);
		if (slot === 'connections') return this.refuse(slot, 'Too many connections', 503, { address: remoteAddress });
		if (slot === 'connectionsPerAddress') {
			return this.refuse(slot, 'Too many connections from this address', 429, { address: remoteAddress });
		}
		return { slot, remoteAddress };
	}

	/** A connection that was let in has ended. */
	leave(slot: Slot): void {
		this.#slots.giveBack(slot);
	}

	/** Counts, logs and makes a refusal; a client that may come back is told when. */
	refuse(refusal: Refusal, text: string, status: number, details: Record<string, unknown>): Response {
		this.#refusals.add(refusal, details);
		const mayComeBack = status === 503 || status === 429;
		const retryAfter = String(1 + Math.floor(Math.random() * LONGEST_RETRY_S));
		return new Response(text, { status, headers: mayComeBack ? { 'Retry-After': retryAfter } : {} });
	}

	/** The host that the client asked for. */
	#hostOf(headers: Headers, peer: string): string | null {
		const forwarded = this.#addresses.isTrusted(peer) ? headers.get('x-forwarded-host') : null;
		return forwarded?.split(',')[0]?.trim() ?? headers.get('host');
	}
}
