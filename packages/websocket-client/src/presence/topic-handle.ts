import { BuiltIn, type PresenceMember, SocketRequestError } from '@orijs/websocket/protocol';
import type { Failures } from '../failures.ts';
import { deferred, limit, quiet } from '../support/promises.ts';
import { attempt } from '../support/listeners.ts';
import { NO_DIFFERENCE } from './members.ts';
import { type MembersView, viewFor } from './members-view.ts';
import {
	type MembersChange,
	type PresenceHandle,
	type PresenceInfo,
	type PresenceOptions,
	type PresenceState,
	UNKNOWN,
} from './presence.ts';

/** What a handle needs of its topic. */
export interface HandleOwner {
	readonly failures: Failures;
	update(info: PresenceInfo): Promise<void>;
	/** Called when a handle has begun. */
	add(handle: TopicHandle): void;
	/** Called when a handle has ended. */
	remove(handle: TopicHandle): void;
}

/** One call of `presence()`. */
export class TopicHandle implements PresenceHandle {
	readonly topic: string;
	/** Whether it has told everyone who is there. */
	isReady = false;
	readonly #ready = deferred();
	#owner: HandleOwner | undefined;
	#options: PresenceOptions = {};
	/** Undefined if it sees the members as they are. */
	#view: MembersView | undefined;
	#isAwaited = false;
	#state: PresenceState = UNKNOWN;
	/** Why it has ended. */
	#end: Error | undefined;
	#ignoreSignal: (() => void) | undefined;

	constructor(topic: string) {
		this.topic = topic;
	}

	/** Begins, with valid options. */
	begin(owner: HandleOwner, options: PresenceOptions): void {
		const { signal } = options;
		this.#owner = owner;
		this.#options = options;
		this.#view = viewFor(this.topic, options, (thrown) => owner.failures.report(thrown, 'presence'));
		owner.add(this);
		const abort = (): void => this.end(signal?.reason as Error);
		this.#ignoreSignal = limit(signal, abort);
		if (signal?.aborted) abort();
	}

	/** Whether it needs no members. */
	get isCountOnly(): boolean {
		return this.#options.members === false;
	}

	get members(): readonly PresenceMember[] {
		return this.#state.members;
	}

	get count(): number | undefined {
		return this.#state.count;
	}

	get areMembersKnown(): boolean {
		return this.#state.areMembersKnown;
	}

	get isStale(): boolean {
		return this.#state.isStale;
	}

	get isClosed(): boolean {
		return !!this.#end;
	}

	get ready(): Promise<void> {
		this.#isAwaited = true;
		return this.#ready.promise;
	}

	update(info: PresenceInfo): Promise<void> {
		return quiet(this.#update(info));
	}

	async #update(info: PresenceInfo): Promise<void> {
		if (this.#end) throw this.#end;
		await this.#owner?.update(info);
	}

	close(): void {
		this.end(new SocketRequestError(`${BuiltIn.watch} ${this.topic}`, 'closed', 'it was closed'));
	}

	/**
	 * Called after each change.
	 *
	 * @param isCurrent whether everything is known that has changed until now
	 * @param isQuiet whether the application is not told
	 */
	changed(shared: MembersChange, isCurrent: boolean, isQuiet: boolean): unknown {
		const isFirst = !this.isReady;
		const before = this.#state;
		if (this.#end) return undefined;
		const change = this.#view?.(shared) ?? shared;
		this.#state = change;
		if (isQuiet || (isFirst && !isCurrent)) return undefined;
		if (!isFirst && this.isCountOnly && change.count === before.count && change.isStale === before.isStale)
			return undefined;
		this.isReady = true;
		this.#ready.resolve();
		return this.#options.onChange?.(isFirst ? { ...change, ...NO_DIFFERENCE, joined: change.members } : change);
	}

	/** Ends it because the server refuses the members. Returns whether the application is told so by it. */
	refused(error: SocketRequestError): boolean {
		const { onRefused } = this.#options;
		this.end(error);
		if (onRefused) attempt(() => onRefused(error), (this.#owner as HandleOwner).failures.thrown);
		return !!onRefused || (this.#isAwaited && !this.isReady);
	}

	/** Ends it. @param error why: for `ready`, unless that has resolved, and for later updates */
	end(error: Error): void {
		if (this.#end) return;
		this.#end = error;
		this.#ignoreSignal?.();
		this.#ready.reject(error);
		this.#owner?.remove(this);
	}
}
