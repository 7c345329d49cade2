import { quiet, show } from '@orijs/websocket/internal';
import { SUBPROTOCOL } from '@orijs/websocket/protocol';
import type { BunRequest } from 'bun';
import { ApplicationError } from '../errors.ts';
import type { WebSocketOptions } from '../websocket-options.ts';

/** Names that only the endpoint itself may confirm. */
const RESERVED = /^orijs\./i;

/** A token, see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

const RULE =
	"it is a list of different names such as ['chat.v2', 'chat.v1'], in order of preference, or a function (offered, req) that " +
	'returns one of the offered names or undefined; names that begin with orijs. are reserved';

/** Chooses the subprotocols of connections from what clients offer. */
export class Subprotocols {
	readonly #choice: WebSocketOptions['subprotocol'];

	/** @param choice the option `subprotocol` @throws {ApplicationError} the option is invalid */
	constructor(choice: unknown) {
		checkSubprotocol(choice);
		this.#choice = choice;
	}

	/**
	 * Returns the subprotocol to confirm, or undefined for none. Clients that speak the protocol come first.
	 *
	 * @param offer the header `Sec-WebSocket-Protocol` of the request
	 * @throws {ApplicationError} the application chose a name that was not offered
	 * @throws whatever the application's function throws
	 */
	choose(offer: string, req: BunRequest): string | undefined {
		const names = namesIn(offer);
		if (names.includes(SUBPROTOCOL)) return SUBPROTOCOL;
		const choice = this.#choice;
		if (choice === undefined) return undefined;
		const offered = names.filter((name) => TOKEN.test(name) && !RESERVED.test(name));
		if (offered.length === 0) return undefined;
		if (typeof choice !== 'function') return choice.find((name) => offered.includes(name));
		const chosen: unknown = choice(offered, req);
		if (chosen === undefined || offered.includes(chosen as string)) return chosen as string | undefined;
		// The function must not be async. If it is, its rejection is part of this failure, not an unhandled one.
		if (chosen instanceof Promise) void quiet(chosen);
		throw new ApplicationError(
			`subprotocol() returned ${show(chosen)}; it must return one of the offered names, or undefined for none`,
		);
	}
}

/**
 * Whether a client speaks the protocol.
 *
 * @param offer the header `Sec-WebSocket-Protocol` of its request
 */
export function offersProtocol(offer: string): boolean {
	return namesIn(offer).includes(SUBPROTOCOL);
}

function namesIn(offer: string): string[] {
	return offer.split(',').map((name) => name.trim());
}

/** Validates the option `subprotocol`. @throws {ApplicationError} the option is invalid */
export function checkSubprotocol(choice: unknown): asserts choice is WebSocketOptions['subprotocol'] {
	if (choice === undefined || typeof choice === 'function') return;
	if (!Array.isArray(choice)) throw new ApplicationError(`subprotocol must not be ${show(choice)}; ${RULE}`);
	choice.forEach((name: unknown, index) => {
		const isName = typeof name === 'string' && TOKEN.test(name) && !RESERVED.test(name);
		if (!isName || choice.indexOf(name) !== index)
			throw new ApplicationError(`subprotocol must not contain ${show(name)}; ${RULE}`);
	});
}
