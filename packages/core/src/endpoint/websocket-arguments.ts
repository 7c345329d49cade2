import { consoleLogger, type Logger, safely, type WebSocketProvider } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { ClientAddresses } from '../admission/client-address.ts';
import { originCheck } from '../admission/origin.ts';
import { checkSubprotocol } from '../admission/subprotocols.ts';
import { checkPerMessageDeflate, compressFrom } from '../compression.ts';
import { ApplicationError } from '../errors.ts';
import { checkLimits, MAX_DELAY_MS } from '../limits.ts';
import { checkPresence } from '../presence-options.ts';
import { canMatch } from '../support/route-path.ts';
import type { Authorize, SocketEndpointOptions, WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';

const HANDLERS = [
	'open',
	'message',
	'close',
	'drain',
	'ping',
	'pong',
] as const satisfies readonly (keyof WebSocketHandlers)[];

/** The calls that take a provider and options. */
export type EndpointCall = 'websocket' | 'endpoint' | 'new SocketEndpoint';

/** The arguments of `websocket()`, and of other calls that configure an endpoint. */
export interface WebSocketArguments {
	readonly provider: WebSocketProvider | undefined;
	readonly options: WebSocketOptions;
}

/**
 * Determines which argument of a call is the provider and which contains the options, and validates them.
 *
 * @throws {ApplicationError} an argument is neither, or an option is unknown or invalid
 */
export function readWebSocketArguments(call: EndpointCall, first: unknown, second: unknown): WebSocketArguments {
	const { provider, options } = splitArguments(call, first, second);
	checkWebSocketOptions(call, options);
	return { provider, options };
}

/** Like {@link readWebSocketArguments}, for `endpoint()`, whose first argument is the path. */
export function readEndpointOfArguments(path: unknown, first: unknown, second: unknown): WebSocketArguments {
	const call = 'endpoint';
	const { provider, options } = splitArguments(call, first, second, [path]);
	if ('path' in options)
		throw new ApplicationError(`endpoint(): the path is the first argument, as in endpoint('/admin', options)`);
	const all = { ...options, path } as WebSocketOptions;
	checkWebSocketOptions(call, all);
	// `undefined` would mean the default path.
	if (path === undefined) OPTION_CHECKS.path(path);
	return { provider, options: all };
}

/** Like {@link readWebSocketArguments}, for an endpoint that stands alone. */
export function readEndpointArguments(
	first: unknown,
	second: unknown,
): WebSocketArguments & { readonly logger: Logger } {
	const call = 'new SocketEndpoint';
	const { provider, options: given } = splitArguments(call, first, second);
	const { logger = consoleLogger, ...options } = given as SocketEndpointOptions;
	checkWebSocketOptions(call, options, ['logger']);
	return { provider, options, logger: safeLogger(call, logger) };
}

/** @param before the arguments that come before these two */
function splitArguments(
	call: EndpointCall,
	first: unknown,
	second: unknown,
	before: readonly unknown[] = [],
): WebSocketArguments {
	const [provider, options = {}] = second === undefined && isOptions(first) ? [undefined, first] : [first, second];
	if ((provider === undefined || isProvider(provider)) && isOptions(options)) return { provider, options };
	const given = [...before, ...(second === undefined ? [first] : [first, second])];
	const example =
		call === 'endpoint' ? `'/admin', new InProcWsProvider(), { limits }` : `new InProcWsProvider(), { path: '/ws' }`;
	throw new ApplicationError(
		`${call}(): pass a provider, or options, or a provider followed by options, ` +
			`as in ${call}(${example}), not ${call}(${given.map(show).join(', ')})`,
	);
}

function checkWebSocketOptions(call: EndpointCall, options: WebSocketOptions, others: readonly string[] = []): void {
	for (const [name, value] of Object.entries(options)) {
		if (!Object.hasOwn(OPTION_CHECKS, name)) {
			throw new ApplicationError(
				`${call}(): there is no option ${name}; options are ${[...Object.keys(OPTION_CHECKS), ...others].join(', ')}, ` +
					`and a provider comes before them: ${call}(provider, options)`,
			);
		}
		if (value === undefined) continue;
		try {
			OPTION_CHECKS[name as keyof WebSocketOptions](value);
		} catch (error) {
			throw error instanceof ApplicationError ? new ApplicationError(`${call}(): ${error.message}`) : error;
		}
	}
	const { perMessageDeflate, limits } = options;
	if (compressFrom(perMessageDeflate) === undefined || limits?.bytesPerSecond !== Infinity) return;
	throw new ApplicationError(
		`${call}(): with perMessageDeflate, limits.bytesPerSecond must be finite: it bounds what the messages of one client ` +
			'inflate to, which can be hundreds of times their size on the wire',
	);
}

function safeLogger(call: EndpointCall, logger: Logger): Logger {
	try {
		return safely(logger);
	} catch (error) {
		throw new ApplicationError(`${call}(): ${(error as Error).message}`);
	}
}

/** Validates the argument of `onWebSocket()`. @throws {ApplicationError} a handler is unknown or not a function */
export function checkHandlers(handlers: unknown): void {
	if (typeof handlers !== 'object' || handlers === null) {
		throw new ApplicationError(
			`onWebSocket(): pass an object with the handlers ${HANDLERS.join(', ')}, not ${show(handlers)}`,
		);
	}
	for (const name of HANDLERS) {
		const handler = (handlers as WebSocketHandlers)[name];
		if (handler !== undefined && typeof handler !== 'function') {
			throw new ApplicationError(`onWebSocket(): ${name} must be a function, not ${show(handler)}`);
		}
	}
	if (!isPlainObject(handlers)) {
		// An instance of a class may have other members.
		if (HANDLERS.some((name) => (handlers as WebSocketHandlers)[name] !== undefined)) return;
		throw new ApplicationError(`onWebSocket(): ${show(handlers)} has none of the handlers ${HANDLERS.join(', ')}`);
	}
	const unknown = Object.keys(handlers).find((name) => !(HANDLERS as readonly string[]).includes(name));
	if (unknown !== undefined)
		throw new ApplicationError(`onWebSocket(): there is no handler ${unknown}; handlers are ${HANDLERS.join(', ')}`);
}

/** Checks of options: each throws an `ApplicationError` that does not name the call. */
const OPTION_CHECKS: Record<keyof WebSocketOptions, (value: unknown) => void> = {
	path(path) {
		if (typeof path === 'string' && canMatch(path)) return;
		throw new ApplicationError(
			'path must begin with / and be URL-encoded (a space as %20), without ? or #, and without . or .. ' +
				'segments; it can have parameters (/:room) and end with /*; ' +
				`not ${show(path)}`,
		);
	},
	upgrade(upgrade) {
		if (typeof upgrade === 'function') return;
		throw new ApplicationError(`upgrade must be a function, not ${show(upgrade)}`);
	},
	upgradeTimeoutMs(ms) {
		if (typeof ms === 'number' && ms > 0 && ms <= MAX_DELAY_MS) return;
		throw new ApplicationError(
			`upgradeTimeoutMs must be a number of milliseconds above 0 and up to ${MAX_DELAY_MS}, not ${show(ms)}`,
		);
	},
	subprotocol: checkSubprotocol,
	allowedOrigins: (allowed) => void originCheck(allowed),
	trustedProxies: (trusted) => void new ClientAddresses(trusted),
	authorize: checkAuthorize,
	unknownMessages(policy) {
		if (policy === 'refuse' || policy === 'raw') return;
		throw new ApplicationError(`unknownMessages must be 'refuse' or 'raw', not ${show(policy)}`);
	},
	presence: checkPresence,
	limits: checkLimits,
	slowReaders(policy) {
		if (policy === 'close' || policy === 'drop') return;
		throw new ApplicationError(`slowReaders must be 'close' or 'drop', not ${show(policy)}`);
	},
	perMessageDeflate: checkPerMessageDeflate,
};

/** Checks the option `authorize`. @throws {ApplicationError} it is not an object of functions, or has others */
export function checkAuthorize(authorize: unknown): void {
	const { subscribe, ...rest } = (typeof authorize === 'object' ? (authorize ?? {}) : { rest: authorize }) as Authorize;
	if (Object.keys(rest).length === 0 && (subscribe === undefined || typeof subscribe === 'function')) return;
	throw new ApplicationError(`authorize must be { subscribe: (ws, topic, state) => boolean }, not ${show(authorize)}`);
}

export function isProvider(value: unknown): value is WebSocketProvider {
	if (typeof value !== 'object' || value === null) return false;
	const { start, addConnection, publishFrom } = value as Partial<WebSocketProvider>;
	return [start, addConnection, publishFrom].every((method) => typeof method === 'function');
}

/**
 * Whether a value is a plain object. Class instances are rejected, because they would pass for options that are all
 * unset.
 */
function isOptions(value: unknown): value is WebSocketOptions {
	return typeof value === 'object' && value !== null && !isProvider(value) && isPlainObject(value);
}

function isPlainObject(value: object): boolean {
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}
