import type { Finding, FindingKind, Outage, PresenceRecord, Span, Stay, View } from './records.ts';

type Open<Of extends Span> = { -readonly [K in keyof Of]: Of[K] };

/** A view that is being written down. */
export class RecordedView implements View {
	readonly watcher: string;
	readonly topic: string;
	readonly node: string;
	readonly from: number = Date.now();
	readonly members: Map<string, Open<Span>[]> = new Map();
	readonly stale: Open<Span>[] = [];
	until: number = Infinity;

	constructor(watcher: string, topic: string, node: string) {
		this.watcher = watcher;
		this.topic = topic;
		this.node = node;
	}

	appear(key: string): void {
		const spans = this.members.get(key);
		const span = { from: Date.now(), until: Infinity };
		if (spans === undefined) this.members.set(key, [span]);
		else spans.push(span);
	}

	vanish(key: string): void {
		const span = this.members.get(key)?.at(-1);
		if (span !== undefined) span.until = Date.now();
	}

	mark(isStale: boolean): void {
		const last = this.stale.at(-1);
		const isMarked = last?.until === Infinity;
		if (isStale && !isMarked) this.stale.push({ from: Date.now(), until: Infinity });
		else if (!isStale && isMarked) last.until = Date.now();
	}

	end(): void {
		this.until = Date.now();
		this.mark(false);
		for (const spans of this.members.values()) {
			const last = spans.at(-1);
			if (last !== undefined) last.until = Math.min(last.until, this.until);
		}
	}
}

/** Writes down what happens in a run. */
export class Recorder {
	readonly stays: Stay[] = [];
	readonly views: RecordedView[] = [];
	readonly outages: Open<Outage>[] = [];
	/** What was found wrong at once, in single frames. */
	readonly wrongs: Finding[] = [];
	/** How often clients were told what did not follow what they knew, and had to watch again. */
	rereads = 0;
	/** How often they were told what changed nothing for them. */
	repeated = 0;
	notices = 0;

	asked(topic: string, key: string, node: string): Stay {
		const open = { from: Infinity, until: Infinity, goneAt: Infinity, isLeaving: false, end: 'disconnected' as const };
		const stay: Stay = { topic, key, node, askedAt: Date.now(), ...open };
		this.stays.push(stay);
		return stay;
	}

	view(watcher: string, topic: string, node: string): RecordedView {
		const view = new RecordedView(watcher, topic, node);
		this.views.push(view);
		return view;
	}

	/** @param node undefined for the backend. Returns a function to be called when it is repaired */
	outage(node: string | undefined, isMarked: boolean, hasLostData = false): () => void {
		const outage = { node, isMarked, hasLostData, from: Date.now(), until: Infinity };
		this.outages.push(outage);
		return () => (outage.until = Date.now());
	}

	wrong(kind: FindingKind, what: string): void {
		this.wrongs.push({ kind, at: Date.now(), what });
	}

	/** What was written down so far. */
	record(): PresenceRecord {
		return { stays: this.stays, views: this.views, outages: this.outages, endAt: Date.now() };
	}
}
