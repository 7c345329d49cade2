import { ProviderNotStartedError, ProviderStoppedError } from '../errors.ts';
import { DONE, toError } from './promises.ts';

export interface LifecycleSteps {
	/** Brings everything up. Must call `check` after each await: `check` throws if `stop` has been called. */
	readonly up: (check: () => void) => Promise<void>;
	/** Takes everything down. Pending calls reject with `reason`, and a pending `up` must settle soon afterwards. */
	readonly down: (from: LifecycleState, reason: Error) => Promise<void>;
}

export type LifecycleState = 'idle' | 'starting' | 'started' | 'stopped';

/** Runs starts and stops one after the other, however the calls overlap. The last call wins. */
export class Lifecycle {
	readonly #steps: LifecycleSteps | undefined;
	#state: LifecycleState = 'idle';
	#starting: Promise<void> | undefined;
	#stopping: Promise<void> | undefined;
	/** The number of starts and stops so far, by which a pending start notices that a later call has overtaken it. */
	#course = 0;

	/** @param steps the work of starting and stopping; if omitted, both take effect immediately */
	constructor(steps?: LifecycleSteps) {
		this.#steps = steps;
	}

	get state(): LifecycleState {
		return this.#state;
	}

	/** Returns the error with which to reject a call that needs a started provider; undefined if it is started. */
	check(call: string): Error | undefined {
		if (this.#state === 'started') return undefined;
		return this.#state === 'stopped' ? new ProviderStoppedError(call) : new ProviderNotStartedError(call);
	}

	/**
	 * Returns the error with which to reject a subscription; undefined if the provider has started, or is starting: the
	 * subscription then completes with the start.
	 */
	checkSubscribing(call: string): Error | undefined {
		return this.#state === 'starting' ? undefined : this.check(call);
	}

	start(): Promise<void> {
		if (this.#steps === undefined) {
			this.#state = 'started';
			return DONE;
		}
		if (this.#starting === undefined) {
			this.#state = 'starting';
			this.#starting = this.#start(this.#steps, ++this.#course, this.#stopping);
			this.#stopping = undefined;
		}
		return this.#starting;
	}

	async #start(steps: LifecycleSteps, course: number, earlierStop: Promise<void> | undefined): Promise<void> {
		const check = (): void => {
			if (this.#course !== course) throw new ProviderStoppedError('start()');
		};
		try {
			await earlierStop;
			check();
			await steps.up(check);
			check();
			this.#state = 'started';
		} catch (error) {
			check();
			await steps.down('starting', toError(error));
			check();
			this.#starting = undefined;
			this.#state = 'idle';
			throw error;
		}
	}

	stop(): Promise<void> {
		if (this.#steps === undefined) {
			this.#state = 'stopped';
			return DONE;
		}
		this.#stopping ??= this.#stop(this.#steps, this.#state, this.#starting);
		return this.#stopping;
	}

	async #stop(steps: LifecycleSteps, from: LifecycleState, starting: Promise<void> | undefined): Promise<void> {
		this.#course++;
		this.#state = 'stopped';
		this.#starting = undefined;
		await steps.down(from, new ProviderStoppedError('subscribe()'));
		if (from === 'starting') await starting?.catch(() => {});
	}
}
