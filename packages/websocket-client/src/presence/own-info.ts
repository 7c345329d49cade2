import { BuiltIn, type SocketRequestError } from '@orijs/websocket/protocol';
import { mustBe } from '../options.ts';
import { encodeMessage } from '../requests/encode-message.ts';
import { Backoff } from '../support/backoff.ts';
import { deferred, type Deferred } from '../support/promises.ts';
import type { PresenceInfo } from './presence.ts';
import { isTransient, NOT_SUBSCRIBED } from './refusals.ts';

interface Update {
	readonly change: PresenceInfo;
	readonly done: Deferred<void>;
}

/**
 * What a client says of itself in a topic: what the server has accepted, and the changes that wait. One request at a
 * time, with all of them merged, so that the newest wins whatever the rate.
 */
export class OwnInfo {
	readonly #send: (info: PresenceInfo) => Promise<unknown>;
	readonly #failed: (error: Error) => void;
	readonly #backoff = new Backoff();
	#accepted: PresenceInfo | undefined;
	/** Whether the server does not know what it has accepted, as on a new connection. */
	#isLost = false;
	#waiting: Update[] = [];
	/** How many changes are merged: one by one after a refusal, to find out whose it is. */
	#most = Infinity;
	#isSending = false;
	/** Whether the client is in the topic. */
	#isIn = false;
	/** How often it was found to be. */
	#entries = 0;

	/** @param failed called if the server no longer accepts what it has accepted before */
	constructor(send: (info: PresenceInfo) => Promise<unknown>, failed: (error: Error) => void) {
		this.#send = send;
		this.#failed = failed;
	}

	/** @throws as documented for `PresenceHandle.update` */
	update(info: PresenceInfo): Promise<void> {
		const { data, values } = JSON.parse(encodeMessage(BuiltIn.update, info));
		mustBe(
			data && typeof data === 'object' && !Array.isArray(data) && !values,
			'info',
			'an object of JSON values (no dates, no bytes)',
			info,
		);
		const done = deferred();
		// A copy, apart from properties that are undefined, which JSON lacks.
		this.#waiting.push({ change: { ...info, ...data }, done });
		void this.#sync();
		return done.promise;
	}

	/** Called when the client is in the topic. */
	enter(): void {
		if (!this.#isIn) this.#backoff.reset();
		this.#isIn = true;
		this.#entries++;
		void this.#sync();
	}

	/** Called when the client may have left the topic: the server has forgotten what it had accepted. */
	leave(): void {
		this.#isIn = false;
		this.#isLost = !!this.#accepted;
	}

	/** Ends it: rejects all updates that wait. Returns whether there were any. */
	reject(error: Error): boolean {
		const waiting = this.#waiting;
		this.#backoff.reset();
		for (const { done } of waiting) done.reject(error);
		this.#waiting = [];
		return waiting.length > 0;
	}

	async #sync(): Promise<void> {
		const batch = this.#waiting.slice(0, this.#most);
		if (!this.#isIn || this.#isSending || this.#backoff.isWaiting || (!batch.length && !this.#isLost)) return;
		const info: PresenceInfo = Object.assign({}, this.#accepted, ...batch.map(({ change }) => change));
		let refusal: SocketRequestError | undefined;
		const entries = this.#entries;
		this.#isSending = true;
		await this.#send(info).catch((error: SocketRequestError) => (refusal = error));
		this.#isSending = false;
		if (!refusal) {
			this.#accepted = info;
			// It may have left meanwhile.
			this.#isLost = !this.#isIn || entries !== this.#entries;
			this.#backoff.reset();
			this.#settle(batch);
		} else if (refusal.code === NOT_SUBSCRIBED) this.#isIn &&= entries !== this.#entries;
		else if (isTransient(refusal) && (refusal.code !== 'internal' || !batch.length))
			return this.#backoff.postpone(() => void this.#sync());
		else if (batch.length > 1) this.#most = 1;
		else {
			if (!batch.length) {
				this.#accepted = undefined;
				this.#isLost = false;
				this.#failed(refusal);
			}
			this.#settle(batch, refusal);
		}
		void this.#sync();
	}

	#settle(batch: readonly Update[], error?: Error): void {
		this.#waiting = this.#waiting.filter((update) => !batch.includes(update));
		if (!this.#waiting.length) this.#most = Infinity;
		for (const { done } of batch) {
			if (error) done.reject(error);
			else done.resolve();
		}
	}
}
