import { BuiltIn, type PresenceMember, SocketRequestError } from '@orijs/websocket/protocol';
import { deferred, limit, quiet } from '../support/promises.ts';
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
	#onChange: PresenceOptions['onChange'];
	#state: PresenceState = UNKNOWN;
	/** Why it has ended. */
	#end: Error | undefined;
	#ignoreSignal: (() => void) | undefined;

	constructor(topic: string) {
		this.topic = topic;
	}

	/** Begins, with valid options. */
	begin(owner: HandleOwner, { onChange, signal }: PresenceOptions): void {
		this.#owner = owner;
		this.#onChange = onChange;
		owner.add(this);
		const abort = (): void => this.end(signal?.reason as Error);
		this.#ignoreSignal = limit(signal, abort);
		if (signal?.aborted) abort();
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

	/** Called after each change. @param isCurrent whether everything is known that has changed until now */
	changed(change: MembersChange, isCurrent: boolean): unknown {
		const isFirst = !this.isReady;
		if (this.#end) return undefined;
		this.#state = change;
		if (isFirst && !isCurrent) return undefined;
		this.isReady = true;
		this.#ready.resolve();
		return this.#onChange?.(isFirst ? { ...change, joined: change.members, left: [], updated: [] } : change);
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
