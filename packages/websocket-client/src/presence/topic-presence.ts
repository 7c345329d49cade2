import { BuiltIn, type PresenceNotice, type RequestFault, SocketRequestError } from '@orijs/websocket/protocol';
import { asMembers } from '../connection/answers.ts';
import type { Failures } from '../failures.ts';
import { Backoff } from '../support/backoff.ts';
import { attempt, type Listeners } from '../support/listeners.ts';
import { Members, NO_DIFFERENCE } from './members.ts';
import { OwnInfo } from './own-info.ts';
import type { MembersChange, PresenceInfo } from './presence.ts';
import { isTransient, NOT_SUBSCRIBED, NOT_WATCHED } from './refusals.ts';
import type { HandleOwner, TopicHandle } from './topic-handle.ts';

/** What the presence of a topic needs of the client. */
export interface PresenceOwner {
	readonly failures: Failures;
	/** Whether there is a connection that is ready. */
	readonly isOpen: boolean;
	/** Whether the application has closed the client, and is told no changes. */
	readonly isQuiet: boolean;
	/** Returns the error of calls on a closed client. */
	end(): Error | undefined;
	/** Returns whether the client is about to be in the topic, or to be refused: `moved` follows. */
	isComing(topic: string): boolean;
	/** Sends a request about the topic, as soon as the rate allows it. @throws {SocketRequestError} */
	ask(type: string, topic: string, data?: object): Promise<unknown>;
	/** Called when the topic is no longer of interest. */
	ended(presence: TopicPresence): void;
}

/** The presence of a topic: one watch on the server for all handles. */
export class TopicPresence implements HandleOwner {
	readonly topic: string;
	readonly failures: Failures;
	readonly #own: OwnInfo;
	readonly #owner: PresenceOwner;
	readonly #handles = new Map<TopicHandle, () => void>();
	readonly #changes: Listeners<[MembersChange, boolean]>;
	readonly #members: Members;
	readonly #backoff = new Backoff();
	/**
	 * - `due`: the members must be requested
	 * - `pending`: they are being requested
	 * - `done`: the server tells what changes
	 * - `waiting`: until the client is in the topic
	 */
	#step: 'due' | 'pending' | 'done' | 'waiting' = 'due';
	/** Whether the server may be telling what changes: it was asked to, on this connection. */
	#mayBeTold = false;
	/** Whether only the count was requested last. */
	#isCountOnly = false;
	/** Whether the client has come into the topic, or may have left it, while a request was pending. */
	#hasMoved = false;
	/** Whether it may have left it. */
	#hasLeft = false;
	/** Replaced when the connection is lost: what was requested on it is not awaited any longer. */
	#life = {};

	constructor(topic: string, owner: PresenceOwner) {
		this.topic = topic;
		this.#owner = owner;
		this.failures = owner.failures;
		this.#changes = owner.failures.listeners();
		this.#members = new Members((change) => this.#changes.call(change, this.#members.isCurrent));
		this.#own = new OwnInfo(
			(info) => owner.ask(BuiltIn.update, topic, { info }),
			(error) => owner.failures.report(error, 'presence'),
		);
	}

	add(handle: TopicHandle): void {
		this.#handles.set(
			handle,
			this.#changes.add((change, isCurrent) => this.#changed(handle, change, isCurrent)),
		);
		this.#syncSoon(() => this.#tell(handle));
	}

	#changed(handle: TopicHandle, change: MembersChange, isCurrent: boolean): unknown {
		// To a handle that needs the members, a count is not yet what it waits for.
		const isEnough = isCurrent && (!this.#isCountOnly || handle.isCountOnly);
		return handle.changed(change, isEnough, this.#owner.isQuiet);
	}

	/** Tells a handle what is known, unless it has been told. */
	#tell(handle: TopicHandle): void {
		const { state, isCurrent } = this.#members;
		const { count } = state;
		if (count === undefined || handle.isReady) return;
		attempt(() => this.#changed(handle, { ...state, count, ...NO_DIFFERENCE }, isCurrent), this.failures.thrown);
	}

	/** Whether no handle needs the members. */
	get #needsNone(): boolean {
		return [...this.#handles.keys()].every((handle) => handle.isCountOnly);
	}

	async update(info: PresenceInfo): Promise<void> {
		const error = this.#owner.end();
		if (error) throw error;
		await this.#own.update(info);
	}

	remove(handle: TopicHandle): void {
		this.#handles.get(handle)?.();
		this.#handles.delete(handle);
		this.#syncSoon();
	}

	/** Called when a connection is ready. */
	open(): void {
		this.#step = 'due';
		this.#sync();
	}

	/** Called when the connection has been lost. */
	shut(): void {
		this.#life = {};
		this.#step = 'due';
		this.#mayBeTold = false;
		this.#backoff.reset();
		this.#own.leave();
		this.#members.lost();
		this.#sync();
	}

	/** Called when the client stops reconnecting. */
	closed(error: Error): void {
		this.#own.reject(error);
		for (const handle of this.#handles.keys()) if (!handle.isReady) handle.end(error);
	}

	/** Called when the client has come into the topic, or may have left it. With that, the watch may have ended. */
	moved(isIn: boolean): void {
		if (!isIn) this.#own.leave();
		if (this.#step === 'pending') {
			this.#hasMoved = true;
			this.#hasLeft ||= !isIn;
		} else if (!isIn || this.#step === 'waiting') this.#step = 'due';
		else this.#own.enter();
		this.#sync();
	}

	/** Called when the server tells what has changed. */
	notice(notice: PresenceNotice): void {
		// While members are being requested, what does not follow is noticed when the next page comes.
		if (this.#step === 'pending') this.#members.notice(notice);
		else if (this.#step === 'done' && !this.#members.notice(notice)) {
			this.#step = 'due';
			this.#sync();
		}
	}

	/** Called when the server has ended the watch. */
	unwatched({ code, message }: RequestFault): void {
		if (this.#step !== 'done') return;
		this.#refused(new SocketRequestError(`${BuiltIn.watch} ${this.topic}`, code, message));
		this.#sync();
	}

	/** Later, so that a topic that is subscribed to at the same time is on its way, and what is undone costs nothing. */
	#syncSoon(before?: () => void): void {
		queueMicrotask(() => {
			before?.();
			this.#sync();
		});
	}

	/** Requests the members if they are due, and ends the watch if there are no handles. */
	readonly #sync = (): void => {
		if (this.#step === 'pending') return;
		const { isOpen } = this.#owner;
		if (this.#step === 'done' && this.#handles.size && this.#isCountOnly !== this.#needsNone) this.#step = 'due';
		if (!this.#handles.size) {
			// Also if it could not be asked again: it may still tell what it was asked for before.
			if (this.#mayBeTold) this.#owner.ask(BuiltIn.unwatch, this.topic).catch(() => {});
			this.#mayBeTold = false;
			this.#step = 'waiting';
			this.#backoff.reset();
			this.#own.reject(new SocketRequestError(`${BuiltIn.update} ${this.topic}`, 'closed', 'it was closed'));
			this.#owner.ended(this);
		} else if (isOpen && this.#step === 'due' && !this.#backoff.isWaiting) {
			if (this.#owner.isComing(this.topic)) this.#wait();
			else void this.#request();
		}
	};

	#wait(): void {
		this.#step = 'waiting';
		this.#members.lost();
	}

	async #request(): Promise<void> {
		const life = this.#life;
		let after: string | undefined;
		this.#step = 'pending';
		this.#mayBeTold = true;
		this.#hasMoved = this.#hasLeft = false;
		const isCountOnly = (this.#isCountOnly = this.#needsNone) || undefined;
		this.#members.forget();
		try {
			do {
				const answer = await this.#owner.ask(BuiltIn.watch, this.topic, { after: after || undefined, isCountOnly });
				if (life !== this.#life) return;
				after = this.#members.page(asMembers(answer), after);
				// A listener may have called `close()` of the client.
				if (life !== this.#life) return;
			} while (after !== undefined && this.#handles.size);
			this.#backoff.reset();
			this.#step = this.#hasLeft ? 'due' : 'done';
			this.#own.enter();
			for (const handle of this.#handles.keys()) this.#tell(handle);
		} catch (error) {
			if (life !== this.#life) return;
			this.#refused(error as SocketRequestError);
		}
		this.#sync();
	}

	#refused(error: SocketRequestError): void {
		const { code } = error;
		this.#mayBeTold &&= isTransient(error);
		if (code === NOT_SUBSCRIBED || code === NOT_WATCHED || this.#hasMoved || isTransient(error)) {
			this.#step = code === NOT_SUBSCRIBED && !this.#hasMoved ? 'waiting' : 'due';
			this.#members.lost();
			if (isTransient(error)) this.#backoff.postpone(this.#sync);
			return;
		}
		this.#step = 'waiting';
		const isUpdateRefused = this.#own.reject(error);
		const areHandled = [...this.#handles.keys()].map((handle) => handle.refused(error));
		this.failures.report(error, 'presence', isUpdateRefused || areHandled.every(Boolean));
	}
}
