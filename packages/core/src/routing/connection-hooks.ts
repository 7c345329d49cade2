import { promiseOf, settledWithin } from '@orijs/websocket/internal';
import { isOwnSocketGone } from '../session/is-own-socket-gone.ts';
import type { Session } from '../session/session.ts';
import { Deadlines } from '../support/deadlines.ts';
import { FaultLog } from '../support/fault-log.ts';
import { ConnectionContext } from './connection-context.ts';
import type { Hooks, LeftTopic } from './hooks.ts';
import type { ContextServices } from './socket-context.ts';

/** One call of a hook that is to be made. */
interface Call {
	readonly hook: keyof Hooks;
	readonly run: (ctx: ConnectionContext<any>) => unknown;
}

/** The calls of one connection that have not finished. */
class CallQueue {
	readonly session: Session;
	readonly calls: Call[] = [];
	/** The call that is awaited. */
	running: Call | undefined;
	/** Whether calls wait for `open`. */
	isHeld: boolean;
	onIdle: (() => void) | undefined;

	constructor(session: Session, isHeld: boolean) {
		this.session = session;
		this.isHeld = isHeld;
	}
}

const CLOSED: LeftTopic = { by: 'closed', code: 'disconnected', message: 'The connection has ended' };

/**
 * Calls the hooks of connections: those of one connection in order, one at a time, the first of which is `onOpen`. A
 * failure is logged, and disturbs nothing.
 */
export class ConnectionHooks {
	readonly #hooks: Hooks;
	readonly #services: ContextServices;
	readonly #faults: FaultLog;
	/** Connections with calls that have not finished. */
	readonly #queues = new Map<Session, CallQueue>();
	/** Connections for which `open` was called. */
	readonly #opened = new WeakSet<Session>();
	/** Awaited calls. */
	readonly #deadlines: Deadlines<CallQueue>;

	constructor(hooks: Hooks, services: ContextServices) {
		this.#hooks = hooks;
		this.#services = services;
		this.#faults = new FaultLog(services.logger);
		this.#deadlines = new Deadlines(services.limits.handlerTimeoutMs, (queue) => this.#timedOut(queue));
	}

	/**
	 * Called when a connection opens, once what its guards have subscribed to is in place. Returns a promise if `onOpen`
	 * has not finished; it never rejects.
	 */
	open(session: Session): Promise<void> | undefined {
		this.#opened.add(session);
		const queue = this.#queueOf(session);
		queue.isHeld = false;
		const opened = this.#hooks.onOpen.length > 0 ? Promise.withResolvers<void>() : undefined;
		let hasRun = opened === undefined;
		const calls: Call[] = this.#hooks.onOpen.map((hook) => ({ hook: 'onOpen', run: hook }));
		if (opened !== undefined) {
			const finished = (): void => {
				hasRun = true;
				opened.resolve();
			};
			calls.push({ hook: 'onOpen', run: finished });
		}
		queue.calls.unshift(...calls);
		this.#run(queue);
		return hasRun ? undefined : opened?.promise;
	}

	subscribed(session: Session, topic: string): void {
		const { onSubscribe } = this.#hooks;
		if (onSubscribe.length === 0) return;
		const queue = this.#queueOf(session);
		for (const hook of onSubscribe) queue.calls.push({ hook: 'onSubscribe', run: (ctx) => hook(ctx, topic) });
		this.#run(queue);
	}

	unsubscribed(session: Session, topic: string, why: LeftTopic): void {
		const { onUnsubscribe } = this.#hooks;
		if (onUnsubscribe.length === 0) return;
		const queue = this.#queueOf(session);
		for (const hook of onUnsubscribe) queue.calls.push({ hook: 'onUnsubscribe', run: (ctx) => hook(ctx, topic, why) });
		this.#run(queue);
	}

	/** Called when a connection that was opened has ended, and the handlers of its messages have started. */
	closed(session: Session, code: number, reason: string): void {
		const { topics } = session;
		// If the `open` handler has closed the connection, these calls wait for those of `onOpen`.
		const queue = this.#queueOf(session);
		for (const topic of topics) {
			for (const hook of this.#hooks.onUnsubscribe)
				queue.calls.push({ hook: 'onUnsubscribe', run: (ctx) => hook(ctx, topic, CLOSED) });
		}
		const closed = { code, reason, topics };
		for (const hook of this.#hooks.onClose) queue.calls.push({ hook: 'onClose', run: (ctx) => hook(ctx, closed) });
		this.#run(queue);
	}

	/** Whether more than `limits.queuedMessages` calls of a connection wait: then, its client must not cause more. */
	isBehind(session: Session): boolean {
		return (this.#queues.get(session)?.calls.length ?? 0) > this.#services.limits.queuedMessages;
	}

	/** Resolves when all calls have finished, at most after `ms` milliseconds. */
	settled(ms: number): Promise<void> {
		const idle = [...this.#queues.values()].map((queue) => {
			const { promise, resolve } = Promise.withResolvers<void>();
			queue.onIdle = resolve;
			return promise;
		});
		return settledWithin(ms, Promise.all(idle));
	}

	/** Stops all timers. */
	stop(): void {
		this.#deadlines.clear();
	}

	#queueOf(session: Session): CallQueue {
		let queue = this.#queues.get(session);
		if (queue === undefined) {
			queue = new CallQueue(session, !this.#opened.has(session));
			this.#queues.set(session, queue);
		}
		return queue;
	}

	#run(queue: CallQueue): void {
		const { calls, session } = queue;
		if (queue.isHeld || queue.running !== undefined) return;
		for (let call = calls.shift(); call !== undefined; call = calls.shift()) {
			// A call that changes the connection's topics adds calls, which come after it.
			queue.running = call;
			const later = this.#call(call, session);
			if (later !== undefined) return this.#await(queue, call, later);
			queue.running = undefined;
		}
		this.#queues.delete(session);
		queue.onIdle?.();
	}

	#call({ hook, run }: Call, session: Session): Promise<unknown> | undefined {
		try {
			return promiseOf(run(new ConnectionContext(this.#services, session)));
		} catch (err) {
			this.#failed(hook, session, err);
			return undefined;
		}
	}

	#await(queue: CallQueue, call: Call, later: Promise<unknown>): void {
		this.#deadlines.add(queue);
		void later
			.catch((err: unknown) => this.#failed(call.hook, queue.session, err))
			.then(() => {
				// Otherwise it has taken too long.
				if (queue.running === call) this.#goOn(queue);
			});
	}

	#goOn(queue: CallQueue): void {
		this.#deadlines.delete(queue);
		queue.running = undefined;
		this.#run(queue);
	}

	#timedOut(queue: CallQueue): void {
		const { socketId } = queue.session;
		this.#services.refusals.add('handlerTimeout', { socketId, type: queue.running?.hook });
		this.#goOn(queue);
	}

	#failed(hook: keyof Hooks, { socketId, state }: Session, err: unknown): void {
		if (hook !== 'onClose' && state !== 'open' && isOwnSocketGone(socketId, err))
			this.#faults.cutShort({ what: `${hook} was cut short because the client disconnected`, err }, { socketId });
		else this.#faults.failed({ what: `${hook} failed`, err }, { socketId });
	}
}
