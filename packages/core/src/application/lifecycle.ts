import type { Logger, SocketData, WebSocketProvider } from '@orijs/websocket';
import { settledWithin, throttleOf } from '@orijs/websocket/internal';
import type { Server } from 'bun';
import { claimProvider, ownerOf, releaseProvider } from '../endpoint/provider-owner.ts';
import { serverOptions } from '../endpoint/server-options.ts';
import type { WebSocketEndpoint } from '../endpoint/websocket-endpoint.ts';
import { ApplicationError } from '../errors.ts';
import { type ChosenPort, forget, replaceEarlier, type Replaceable } from '../reloading/generations.ts';
import { IS_HOT } from '../reloading/hot-state.ts';
import { retire } from '../reloading/retire.ts';
import { isInShutdownHook, runShutdownHook } from '../stopping/shutdown-hooks.ts';
import { type StopSignal, stopOnSignals } from '../stopping/signals.ts';
import type { StopOptions } from './application-options.ts';
import type { Hook } from './hook.ts';
import type { ListenOptions } from './listen-options.ts';

/** The state of an application. It becomes `stopped` as soon as `stop` is called, or when a start fails. */
export type LifecycleState = 'building' | 'starting' | 'listening' | 'stopped';

export interface StartOptions {
	readonly at: ListenOptions;
	readonly endpoints: readonly WebSocketEndpoint[];
	/** Binds the port and starts serving. */
	readonly serve: () => Server<SocketData>;
	/** Called on SIGTERM and SIGINT. If undefined, signals are not handled. */
	readonly onSignal: ((signal: StopSignal) => Promise<void>) | undefined;
}

/** Starts and stops an application's providers, endpoints and server in order, and runs the hooks in between. */
export class Lifecycle implements Replaceable {
	readonly #logger: Logger;
	readonly #startupHooks: Hook[] = [];
	readonly #shutdownHooks: Hook[] = [];
	#state: LifecycleState = 'building';
	readonly #providers = new Set<WebSocketProvider>();
	#endpoints: readonly WebSocketEndpoint[] = [];
	#server: Server<SocketData> | undefined;
	#ignoreSignals: (() => void) | undefined;
	#stopping: Promise<void> | undefined;
	#at: ListenOptions | undefined;
	/** Whether newer code replaces this application, under `bun --hot`. */
	#isRetired = false;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	get state(): LifecycleState {
		return this.#state;
	}

	/** Adds a provider to start and stop with the application. */
	use(provider: WebSocketProvider): void {
		this.#providers.add(provider);
	}

	onStartup(hook: Hook): void {
		this.#startupHooks.push(hook);
	}

	onShutdown(hook: Hook): void {
		this.#shutdownHooks.push(hook);
	}

	/**
	 * Starts the providers, runs the startup hooks, then starts the server. If a step fails, the steps before it are
	 * undone.
	 *
	 * @throws {ApplicationError} interrupted by `stop`, or another application uses a provider
	 * @throws whatever a failing step throws
	 */
	async start({ at, endpoints, serve, onSignal }: StartOptions): Promise<Server<SocketData>> {
		this.#at = at;
		this.#endpoints = endpoints;
		this.#state = 'starting';
		try {
			if (IS_HOT) await this.#replaceEarlier();
			for (const provider of this.#providers) claimProvider(provider, this, 'application');
			await this.#startProviders();
			for (const hook of this.#startupHooks) {
				this.#mustBeStarting();
				await hook();
			}
			this.#mustBeStarting();
			this.#server = serve();
			for (const provider of this.#providers) {
				const users = endpoints.filter((endpoint) => endpoint.provider === provider);
				provider.setServer(this.#server, serverOptions(users));
			}
			this.#state = 'listening';
			if (onSignal !== undefined) this.#ignoreSignals = stopOnSignals({ stop: onSignal, logger: this.#logger });
			return this.#server;
		} catch (error) {
			this.#state = 'stopped';
			await this.#rollBack();
			forget(this);
			if (this.#isRetired) return new Promise(() => {});
			throw error;
		}
	}

	/** Starts all providers. If one fails, still waits for the others, because they can only be stopped then. */
	async #startProviders(): Promise<void> {
		await allDone([...this.#providers].map((provider) => provider.start()));
	}

	async #replaceEarlier(): Promise<void> {
		if (!(await replaceEarlier(this))) this.#isRetired = true;
		this.#mustBeStarting();
	}

	/**
	 * Stops the application because newer code replaces it. If it is still starting, the promise of `start` stays
	 * pending: the old code must not continue, and nothing has failed.
	 */
	async retire(): Promise<void> {
		this.#isRetired = true;
		await retire('application', (graceMs) => this.stop({ graceMs, readinessDelayMs: 0 }), this.#logger);
	}

	get chosenPort(): ChosenPort | undefined {
		const port = this.#server?.port;
		return this.#at?.port === 0 && port !== undefined ? { hostname: this.#at.hostname, port } : undefined;
	}

	#mustBeStarting(): void {
		if (this.#state !== 'starting' || this.#isRetired) throw new ApplicationError('stop() was called during listen()');
	}

	/** Undoes a failed start. Never rejects: the caller reports the failure of the start itself. */
	async #rollBack(): Promise<void> {
		for (const endpoint of this.#endpoints) endpoint.dispose();
		try {
			await this.#server?.stop(true);
			await this.#stopProviders(this.#ownProviders());
		} catch (err) {
			this.#logger.error('The provider could not be stopped after listen() failed', { err });
		}
	}

	/**
	 * Stops in the order that `Application.stop` documents. Later calls return the promise of the first.
	 *
	 * @throws {ApplicationError} at once, if called in a shutdown hook: the hook and `stop` would wait for each other
	 * forever
	 */
	stop(options: Required<StopOptions>): Promise<void> {
		if (isInShutdownHook(this)) {
			throw new ApplicationError(
				'stop() was called in a shutdown hook: the application is already stopping and waits for its hooks',
			);
		}
		// The process may exit afterwards, and entries that are not written yet would be lost.
		this.#stopping ??= this.#stop(options).finally(() => throttleOf(this.#logger).flush());
		return this.#stopping;
	}

	async #stop({ graceMs, readinessDelayMs }: Required<StopOptions>): Promise<void> {
		const wasListening = this.#state === 'listening';
		this.#state = 'stopped';
		if (!wasListening) return this.#stopEarly();
		if (readinessDelayMs > 0) {
			this.#logger.info(`No longer ready; serving for another ${readinessDelayMs} ms before stopping`);
			await Bun.sleep(readinessDelayMs);
		}
		const deadline = performance.now() + graceMs;
		// Called first, while clients are still connected and can receive gap notices.
		for (const provider of this.#providers) provider.flushGaps();
		for (const endpoint of this.#endpoints) endpoint.close();
		await Promise.all(this.#endpoints.map((endpoint) => endpoint.drain(deadline)));
		if (this.#server !== undefined)
			await settledWithin(Math.max(0, deadline - performance.now()), this.#server.stop().catch(ignore));
		await this.#runShutdownHooks();
		for (const endpoint of this.#endpoints) endpoint.dispose();
		try {
			await this.#stopProviders(this.#ownProviders());
		} finally {
			await this.#server?.stop(true);
			this.#ignoreSignals?.();
			forget(this);
		}
	}

	/** Stops an application that is not listening yet. A start in progress then fails. */
	async #stopEarly(): Promise<void> {
		await this.#stopProviders([...this.#providers].filter((provider) => (ownerOf(provider) ?? this) === this));
	}

	/** The providers that this application has claimed. Others must not be stopped. */
	#ownProviders(): readonly WebSocketProvider[] {
		return [...this.#providers].filter((provider) => ownerOf(provider) === this);
	}

	/** Stops providers and makes them available to other applications, even if stopping one fails. */
	async #stopProviders(providers: readonly WebSocketProvider[]): Promise<void> {
		try {
			await allDone(providers.map((provider) => provider.stop()));
		} finally {
			for (const provider of providers) releaseProvider(provider, this);
		}
	}

	async #runShutdownHooks(): Promise<void> {
		for (const hook of this.#shutdownHooks.toReversed()) {
			try {
				await runShutdownHook(this, hook);
			} catch (err) {
				this.#logger.error('A shutdown hook failed', { err });
			}
		}
	}
}

/** Waits for all promises, even if some reject. @throws the first rejection */
async function allDone(promises: readonly Promise<void>[]): Promise<void> {
	await Promise.allSettled(promises);
	await Promise.all(promises);
}

function ignore(): void {}
