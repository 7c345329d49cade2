import {
	InvalidPresenceInfoError,
	type PresenceInfo,
	type SocketPresence,
	type WebSocketConnection,
} from '@orijs/websocket';
import { copyInfo, promiseOf, quiet, show, toError } from '@orijs/websocket/internal';
import { validateWith } from '@orijs/websocket/protocol';
import { AsyncPresenceSchemaError, ApplicationError } from '../errors.ts';
import type { AllPresenceOptions, PresenceInfoContext } from '../presence-options.ts';
import type { SessionOf } from '../session/gap-forwarding.ts';
import type { Session } from '../session/session.ts';

/** What others see of an endpoint's connections: what the application says, and what clients may add to it. */
export class PresenceInfos {
	readonly #options: AllPresenceOptions;
	readonly #presence: Pick<SocketPresence, 'infoWith'>;
	readonly #sessionOf: SessionOf;

	constructor(options: AllPresenceOptions, presence: Pick<SocketPresence, 'infoWith'>, sessionOf: SessionOf) {
		this.#options = options;
		this.#presence = presence;
		this.#sessionOf = sessionOf;
	}

	/**
	 * Returns what the application says of a socket in a topic; undefined if nothing, or if another endpoint has the
	 * socket.
	 *
	 * @throws {ApplicationError} {AsyncPresenceSchemaError} {MessageValidationError} {InvalidPresenceInfoError} the
	 * application's answer is not allowed
	 * @throws whatever `presence.info` throws
	 */
	describe(socket: WebSocketConnection, topic: string): PresenceInfo | undefined {
		const session = this.#sessionOf(socket);
		if (session === undefined) return undefined;
		const answer: unknown = this.#options.info?.(new InfoContext(session, topic));
		if (answer === undefined) return undefined;
		mustBeInfo(answer);
		const given = copyInfo(answer);
		// A default of the schema is not the application's word: clients may say something else.
		const info = pick(this.#checked('presence.info', given), (key) => Object.hasOwn(given, key));
		this.#mustFit(info);
		return info;
	}

	/**
	 * Returns what a client adds to its info, as the schema leaves it.
	 *
	 * @throws {MessageValidationError} {InvalidPresenceInfoError} it is not allowed
	 * @throws {ApplicationError} {AsyncPresenceSchemaError} the schema is not usable
	 */
	ownInfo({ socketId }: Session, topic: string, given: PresenceInfo): PresenceInfo {
		const merged = this.#presence.infoWith(socketId, topic, given);
		// A schema need not be shown what is too large.
		this.#mustFit(merged);
		if (this.#options.schema === undefined) return given;
		const checked = this.#checked('@update', merged);
		this.#mustFit(checked);
		const servers = this.#presence.infoWith(socketId, topic, {});
		return pick(checked, (key) => !Object.hasOwn(servers, key));
	}

	#checked(what: string, info: PresenceInfo): PresenceInfo {
		const { schema } = this.#options;
		if (schema === undefined) return info;
		const checked = validateWith(what, schema, info);
		if (promiseOf(checked) !== undefined) {
			void quiet(checked as Promise<unknown>);
			throw new AsyncPresenceSchemaError();
		}
		if (!isInfo(checked))
			throw new ApplicationError(`presence.schema has returned ${show(checked)}, which is no object`);
		try {
			return copyInfo(checked);
		} catch (cause) {
			throw new ApplicationError(`what presence.schema has returned is not allowed: ${toError(cause).message}`, {
				cause,
			});
		}
	}

	#mustFit(info: PresenceInfo): void {
		const { infoBytes } = this.#options;
		const bytes = Buffer.byteLength(JSON.stringify(info));
		if (bytes <= infoBytes) return;
		throw new InvalidPresenceInfoError(
			`The info has ${bytes} bytes as JSON; at most ${infoBytes} are allowed (presence.infoBytes)`,
			'too_large',
		);
	}
}

class InfoContext implements PresenceInfoContext {
	readonly topic: string;
	readonly #session: Session;

	constructor(session: Session, topic: string) {
		this.#session = session;
		this.topic = topic;
	}

	get socketId(): string {
		return this.#session.socketId;
	}

	get userId(): string | undefined {
		return this.#session.userId;
	}

	get state(): object {
		return this.#session.values;
	}

	get ws(): PresenceInfoContext['ws'] {
		return this.#session.ws;
	}
}

function mustBeInfo(given: unknown): asserts given is PresenceInfo {
	const later = promiseOf(given);
	if (later !== undefined) {
		void quiet(later);
		throw new ApplicationError(
			'presence.info has returned a promise: it must answer at once; load what it needs in a guard',
		);
	}
	if (isInfo(given)) return;
	throw new ApplicationError(`presence.info must return an object or undefined, not ${show(given)}`);
}

function isInfo(value: unknown): value is PresenceInfo {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pick(info: PresenceInfo, isWanted: (key: string) => boolean): PresenceInfo {
	return Object.fromEntries(Object.entries(info).filter(([key]) => isWanted(key)));
}
