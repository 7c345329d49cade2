import type { StoredBeat, StoredNode } from '../bus.ts';
import { encodeDigestBody, MAX_DIGEST_ENTRIES } from '../wire/digest.ts';

/** What is recorded of a node. Times are of the monotonic clock. */
interface BeatRecord {
	number: number;
	incarnation: number;
	run: number;
	entry: Uint8Array;
	renewedAt: number;
	/** Whether a digest has told of its silence. */
	isSilenceTold: boolean;
}

/** Collects beats as {@link BeatStore} says. There is one shard. */
export class MemoryBeats {
	readonly #records = new Map<number, BeatRecord>();
	readonly #texts = new Map<number, string>();
	#fullAt = -Infinity;

	/** Records a beat. Returns the digests to publish before its frame. */
	record(beat: StoredBeat, text: string | undefined, now: number): Uint8Array[] {
		const isNews = this.#renew(beat, now);
		if (text !== undefined && this.#records.has(beat.origin)) this.#texts.set(beat.origin, text);
		this.#forget(beat.forgetAfterMs, now);
		if (!beat.isCollected) return [];
		if (now - this.#fullAt >= beat.digestEveryMs) {
			this.#fullAt = now;
			for (const each of this.#records.values()) this.#noteSilence(each, beat, now);
			return this.#digest(beat, true, [...this.#records.keys()], now);
		}
		const singles = [...this.#records].flatMap(([origin, each]) =>
			this.#noteSilence(each, beat, now) ? [origin] : [],
		);
		if (isNews) singles.push(beat.origin);
		return singles.length === 0 ? [] : this.#digest(beat, false, singles, now);
	}

	/** Records a node's last beat, and removes the record. Returns the digests to publish before its frame. */
	remove(beat: StoredBeat, now: number): Uint8Array[] {
		this.#renew(beat, now);
		const digests = beat.isCollected ? this.#digest(beat, false, [beat.origin], now) : [];
		this.#records.delete(beat.origin);
		this.#texts.delete(beat.origin);
		return digests;
	}

	list(now: number): StoredNode[] {
		return Array.from(this.#texts, ([origin, text]) => {
			const ageMs = now - (this.#records.get(origin)?.renewedAt ?? -Infinity);
			return { origin, text, ageMs };
		});
	}

	/** Forgets everything, as a backend does that is restarted. */
	clear(): void {
		this.#records.clear();
		this.#texts.clear();
		this.#fullAt = -Infinity;
	}

	/** Returns whether the others must be told of the node at once. */
	#renew({ origin, number, incarnation, run, entry, silentAfterMs }: StoredBeat, now: number): boolean {
		const record = this.#records.get(origin);
		if (record === undefined) {
			const fresh = { number, incarnation, run, entry: entry.slice(), renewedAt: now, isSilenceTold: false };
			this.#records.set(origin, fresh);
			return true;
		}
		if (incarnation < record.incarnation) return false;
		const isNews = number > record.number + 1 || number < record.number || now - record.renewedAt >= silentAfterMs;
		if (number !== record.number) record.run = number === record.number + 1 ? record.run + 1 : 1;
		record.number = number;
		record.incarnation = incarnation;
		record.entry = entry.slice();
		record.renewedAt = now;
		record.isSilenceTold = false;
		return isNews;
	}

	/** Returns whether a node has fallen silent and no digest has told so. */
	#noteSilence(record: BeatRecord, { silentAfterMs }: StoredBeat, now: number): boolean {
		if (record.isSilenceTold || now - record.renewedAt < silentAfterMs) return false;
		record.isSilenceTold = true;
		return true;
	}

	#forget(forgetAfterMs: number, now: number): void {
		for (const [origin, { renewedAt }] of this.#records) {
			if (now - renewedAt < forgetAfterMs) continue;
			this.#records.delete(origin);
			this.#texts.delete(origin);
		}
	}

	#digest({ digestHeader }: StoredBeat, isFull: boolean, origins: readonly number[], now: number): Uint8Array[] {
		const frames: Uint8Array[] = [];
		for (let at = 0; at < origins.length; at += MAX_DIGEST_ENTRIES) {
			const entries = origins.slice(at, at + MAX_DIGEST_ENTRIES).flatMap((origin) => {
				const record = this.#records.get(origin);
				return record === undefined ? [] : [{ ...record, ageMs: now - record.renewedAt }];
			});
			frames.push(Buffer.concat([digestHeader, encodeDigestBody(isFull, entries)]));
		}
		return frames;
	}
}
