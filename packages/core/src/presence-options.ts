import { MAX_INFO_BYTES } from '@orijs/websocket';
import { isSchema, show } from '@orijs/websocket/internal';
import type { StandardSchemaV1 } from '@orijs/websocket/protocol';
import type { AppSocket } from './app-socket.ts';
import type { ConnectionData } from './connection-data.ts';
import { ApplicationError } from './errors.ts';

/** What `presence.info` receives: a connection, and the topic that it is in. */
export interface PresenceInfoContext<TState extends object = object, TData extends ConnectionData = ConnectionData> {
	readonly topic: string;
	readonly socketId: string;
	/** Who the user is, as set by the guards or by `upgrade`; undefined if it was not set. */
	readonly userId: string | undefined;
	/** The connection's state, as set by its guards. */
	readonly state: TState;
	readonly ws: AppSocket<TData>;
}

/** What others see of connections in topics whose presence the provider keeps, and who may see it. */
export interface EndpointPresenceOptions<TData extends ConnectionData = ConnectionData> {
	/**
	 * Returns what others see of a connection's user in a topic: a JSON object, such as a name, or undefined for
	 * nothing. Called when the connection enters the topic, and again when its credentials have been renewed. Clients
	 * can add properties of their own (`@update`), but can't change these.
	 *
	 * It must answer at once, without a promise. If it throws, or its answer is not a plain object of what JSON
	 * carries, is too large or does not match `schema`, that is logged, and others see the member without it. Default:
	 * nothing.
	 *
	 * @param ctx annotate it with the type of the connection's state: `PresenceInfoContext<State>`
	 */
	info?(ctx: PresenceInfoContext<any, TData>): (object & { readonly then?: never }) | undefined;
	/**
	 * A Standard Schema for what `info` returns, and for that together with the properties that a client adds: these
	 * must therefore be optional. What the schema returns is used, so properties that it leaves out are left out. It
	 * must be synchronous, and accept what it has returned. What `app.presence.update` sets is not checked, but is
	 * part of what a client's change is checked with. Default: clients may add any properties.
	 */
	readonly schema?: StandardSchemaV1<any, object>;
	/**
	 * Decides whether a client may see who is in a topic, and what changes: only true lets it. Asked when the client
	 * begins to watch the topic, again by `reauthorize`, and after its credentials have been renewed; a client that may
	 * no longer see it then receives `@unwatched`. Default: a client may, while it is in the topic.
	 *
	 * If this throws or rejects with a `SocketError`, that error is sent to the client. Any other error is logged, and
	 * the client receives `internal`. If it takes longer than `limits.handlerTimeoutMs`, it receives `timeout`.
	 *
	 * @param state the connection's state as set by the guards; annotate it with its type
	 */
	authorize?(ws: AppSocket<TData>, topic: string, state: any): boolean | Promise<boolean>;
	/**
	 * The largest info of a connection, in bytes of its JSON, with the properties that its client adds. At most 16,384.
	 * Default 1,024.
	 */
	readonly infoBytes?: number;
	/**
	 * How often a client may change its info in one topic, per second; up to five times in a row. Further changes are
	 * refused with `rate_limited`. Default 1.
	 */
	readonly updatesPerSecond?: number;
}

/** The options, with defaults for those that were not set. */
export interface AllPresenceOptions extends EndpointPresenceOptions {
	readonly infoBytes: number;
	readonly updatesPerSecond: number;
}

export function withPresenceDefaults(options: EndpointPresenceOptions<any> = {}): AllPresenceOptions {
	return { ...options, infoBytes: options.infoBytes ?? 1_024, updatesPerSecond: options.updatesPerSecond ?? 1 };
}

/** Checks the option `presence`. @throws {ApplicationError} an option is unknown or invalid */
export function checkPresence(options: unknown): void {
	if (typeof options !== 'object' || options === null || Array.isArray(options)) {
		throw new ApplicationError(
			`presence must be an object with ${NAMES.join(', ')}, not ${show(options)}; which topics keep it is an option of ` +
				'the provider',
		);
	}
	for (const [name, value] of Object.entries(options)) {
		if (!Object.hasOwn(CHECKS, name)) {
			throw new ApplicationError(
				`there is no option presence.${name}; options are ${NAMES.join(', ')}. Which topics keep presence is an option of ` +
					`the provider: new InProcWsProvider({ presence: { 'room:*': {} } })`,
			);
		}
		if (value !== undefined) CHECKS[name as keyof EndpointPresenceOptions](value);
	}
}

const CHECKS: Record<keyof EndpointPresenceOptions, (value: unknown) => void> = {
	info(info) {
		if (typeof info === 'function') return;
		throw new ApplicationError(`presence.info must be a function, (ctx) => object, not ${show(info)}`);
	},
	schema(schema) {
		if (isSchema(schema)) return;
		throw new ApplicationError(
			'presence.schema is not a Standard Schema, such as those of zod, valibot and arktype; a TypeBox schema needs an ' +
				'adapter',
		);
	},
	authorize(authorize) {
		if (typeof authorize === 'function') return;
		throw new ApplicationError(
			`presence.authorize must be a function, (ws, topic, state) => boolean, not ${show(authorize)}`,
		);
	},
	infoBytes(bytes) {
		if (Number.isInteger(bytes) && (bytes as number) >= 1 && (bytes as number) <= MAX_INFO_BYTES) return;
		throw new ApplicationError(
			`presence.infoBytes must be a whole number from 1 to ${MAX_INFO_BYTES}, not ${show(bytes)}`,
		);
	},
	updatesPerSecond(rate) {
		if (typeof rate === 'number' && rate > 0) return;
		throw new ApplicationError(
			`presence.updatesPerSecond must be a number above 0, such as 0.5, or Infinity for no limit; not ${show(rate)}`,
		);
	},
};

const NAMES = Object.keys(CHECKS);
