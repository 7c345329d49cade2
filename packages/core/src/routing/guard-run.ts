import {
	InvalidOptionError,
	InvalidUserIdError,
	type Logger,
	type SubscribeOptions,
	UnknownSocketError,
	type WebSocketProvider,
} from '@orijs/websocket';
import { type FailureLog, isUserId, show, toError } from '@orijs/websocket/internal';
import { type RequestMessage, SocketRequestError } from '@orijs/websocket/protocol';
import { TooManyTopicsError } from '../errors.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import { BoundLogger } from '../support/bound-logger.ts';
import { checkOptions } from '../support/check-options.ts';
import { expiryOf } from '../support/expiry.ts';
import type { AuthenticateContext, GuardSubscribeOptions } from './guard-context.ts';

/** The parts of an upgrade request that guards can read; the request itself no longer exists when they run. */
export interface UpgradeRequest {
	readonly headers: Headers;
	readonly remoteAddress: string;
}

/** What the guards of all connections share. */
export interface GuardServices {
	readonly provider: WebSocketProvider;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Logs failed calls whose promises are not awaited. */
	readonly calls: FailureLog;
}

/** The topics that guards subscribe a connection to, each with its options; undefined for the default ones. */
export type GuardTopics = ReadonlyMap<string, SubscribeOptions | undefined>;

const NO_TOPICS: GuardTopics = new Map();

/**
 * - `running`: the guards have not decided yet
 * - `passed`: all of them have passed
 * - `ended`: one has refused or failed, or they are no longer waited for
 */
type RunState = 'running' | 'passed' | 'ended';

/** One run of the guards for a connection: their `ctx`, and what they have decided so far. */
export class GuardRun implements AuthenticateContext {
	readonly state: object;
	readonly headers: Headers;
	readonly remoteAddress: string;
	readonly #services: GuardServices;
	readonly #session: Session;
	/** The topics of an earlier run, which this one replaces. */
	readonly #former: GuardTopics;
	#runState: RunState = 'running';
	#auth: unknown;
	#userId: string | undefined;
	#expiresAt: Date | number | undefined;
	/** On the monotonic clock, in milliseconds. */
	#expiry = Infinity;
	#topics: Map<string, SubscribeOptions | undefined> | undefined;
	/** Release the topics that were asked of the backend. */
	#releases: Map<string, () => void> | undefined;

	/**
	 * @param state the state to begin with
	 * @param former the topics of an earlier run
	 */
	constructor(
		services: GuardServices,
		session: Session,
		{ headers, remoteAddress }: UpgradeRequest,
		{ auth, state = {}, former = NO_TOPICS }: { auth?: unknown; state?: object; former?: GuardTopics },
	) {
		this.#services = services;
		this.#session = session;
		this.#auth = auth;
		this.#userId = session.userId;
		this.#former = former;
		this.state = state;
		this.headers = headers;
		this.remoteAddress = remoteAddress;
	}

	get auth(): unknown {
		return this.#auth;
	}

	get userId(): string | undefined {
		return this.#userId;
	}

	set userId(userId: string) {
		if (!isUserId(userId)) throw new InvalidUserIdError(userId);
		this.#userId = userId;
	}

	get expiresAt(): Date | number | undefined {
		return this.#expiresAt;
	}

	set expiresAt(expiresAt: Date | number | undefined) {
		this.#expiry = expiryOf('ctx.expiresAt', expiresAt);
		this.#expiresAt = expiresAt;
	}

	get data(): object {
		return this.#session.data;
	}

	get cookies(): Bun.CookieMap {
		return new Bun.CookieMap(this.headers.get('cookie') ?? '');
	}

	get socketId(): string {
		return this.#session.socketId;
	}

	get signal(): AbortSignal {
		return this.#session.signal;
	}

	get log(): Logger {
		return new BoundLogger(this.#services.logger, { socketId: this.socketId });
	}

	subscribe(topic: string, options?: GuardSubscribeOptions): Promise<void> {
		const { provider, limits, refusals, calls } = this.#services;
		if (this.#runState === 'passed') return this.#session.ws.subscribe(topic, options);
		if (this.#runState === 'ended') return calls.refuse(new UnknownSocketError(this.socketId));
		try {
			if (options !== undefined) {
				checkOptions('ctx.subscribe()', options, ['past']);
				const { past } = options;
				if (past !== undefined && typeof past !== 'boolean')
					throw new InvalidOptionError(`past of ctx.subscribe() must be true or false, not ${show(past)}`);
			}
			if (this.#topics?.has(topic) !== true) {
				if (this.#topicCount() >= limits.topicsPerSocket) {
					refusals.add('topics', { socketId: this.socketId, topic });
					throw new TooManyTopicsError(topic, limits.topicsPerSocket);
				}
				this.#releases ??= new Map();
				this.#releases.set(topic, provider.prepare(topic));
			}
		} catch (error) {
			return calls.refuse(toError(error));
		}
		this.#topics ??= new Map();
		this.#topics.set(topic, options);
		return DONE;
	}

	/** The number of topics that the connection will be in, as far as is known. */
	#topicCount(): number {
		let count = this.#topics?.size ?? 0;
		for (const topic of this.#session.topics) {
			if (!this.#former.has(topic) && this.#topics?.has(topic) !== true) count++;
		}
		return count;
	}

	unsubscribe(topic: string): Promise<void> {
		if (this.#runState === 'passed') return this.#session.ws.unsubscribe(topic);
		this.#topics?.delete(topic);
		this.#releases?.get(topic)?.();
		this.#releases?.delete(topic);
		return DONE;
	}

	request(message: RequestMessage): Promise<never> {
		const error = new SocketRequestError(
			(message as Partial<RequestMessage> | undefined)?.name ?? 'request',
			'not_ready',
			'nothing is sent to a client before its guards have passed; ask it in onOpen or in a handler',
		);
		return this.#services.calls.refuse(error);
	}

	// The following are not for guards, which get this object as their `ctx`.

	/** Called when the guards that may see the credentials have run. */
	static forgetAuth(run: GuardRun): void {
		run.#auth = undefined;
	}

	static isRunning(run: GuardRun): boolean {
		return run.#runState === 'running';
	}

	/** When the credentials expire (monotonic clock, in milliseconds); `Infinity` if never. */
	static expiryOf(run: GuardRun): number {
		return run.#expiry;
	}

	static topicsOf(run: GuardRun): GuardTopics {
		return run.#topics ?? NO_TOPICS;
	}

	/** Called when all guards have passed; then, what they have decided is put into effect. */
	static pass(run: GuardRun): void {
		run.#runState = 'passed';
	}

	/** Called when a guard has refused or failed, or is no longer waited for: nothing of what they did remains. */
	static end(run: GuardRun): void {
		run.#runState = 'ended';
		GuardRun.release(run);
	}

	/** Called when the sockets that the backend was asked for are subscribed, or will not be. */
	static release(run: GuardRun): void {
		for (const release of run.#releases?.values() ?? []) release();
		run.#releases = undefined;
	}
}

const DONE: Promise<void> = Promise.resolve();
