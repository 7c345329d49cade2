import type { UpgradeResponse } from '../websocket-options.ts';

/** Headers of a 101 response. */
export type AcceptingHeaders = Headers | Record<string, string>;

/** Headers of the handshake itself, besides `Sec-WebSocket-*`, and headers that a 101 response can't have. */
const RESERVED = ['connection', 'upgrade', 'content-length', 'transfer-encoding'];

const SUBPROTOCOL = 'Sec-WebSocket-Protocol';

/** Sent to a client whose offers were all declined: without it, Bun would confirm the first one. */
const NO_SUBPROTOCOL = { [SUBPROTOCOL]: '' };

/** What the application adds to a 101 response. Its headers are created on first use, because most add none. */
export class AddedHeaders implements UpgradeResponse {
	userId: string | undefined;
	#headers: Headers | undefined;

	get headers(): Headers {
		this.#headers ??= new Headers();
		return this.#headers;
	}

	/** The headers that were added, if any. */
	get added(): Headers | undefined {
		return this.#headers;
	}

	/** The name of an added header that the application may not set, if any. */
	get reserved(): string | undefined {
		for (const name of this.#headers?.keys() ?? []) {
			if (RESERVED.includes(name) || name.startsWith('sec-websocket-')) return name;
		}
		return undefined;
	}
}

/** Returns the headers of a 101 response to a client that has offered subprotocols; `chosen` is the one to confirm. */
export function withSubprotocol(added: Headers | undefined, chosen: string | undefined): AcceptingHeaders {
	if (added === undefined) return chosen === undefined ? NO_SUBPROTOCOL : { [SUBPROTOCOL]: chosen };
	added.set(SUBPROTOCOL, chosen ?? '');
	return added;
}
