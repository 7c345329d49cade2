import type { SubscriptionLostError } from '../errors.ts';
import type { Histories } from '../history/histories.ts';
import { isTopic } from '../protocol/topic.ts';
import { BROADCAST_CHANNEL, socketOfChannel } from '../wire/channel-names.ts';
import type { Beat, GapNotice, Origin, Sender } from '../wire/frame.ts';
import { type BusHeartbeat, DEFAULT_HEARTBEAT_MS } from './bus-heartbeat.ts';
import type { GapEvents } from './gap-events.ts';
import type { PeerBeats } from './peer-beats.ts';
import { ReceivedGapNotices } from './received-gap-notices.ts';

/** The channels this node is subscribed to at the backend, and whose frames arrive. */
export interface LiveChannels {
	live(): Iterable<string>;
	isLive(channel: string): boolean;
}

export interface MissingMessagesOptions {
	/** This node. */
	readonly origin: Origin;
	readonly channels: LiveChannels;
	readonly peers: PeerBeats;
	readonly gaps: GapEvents;
	/** Undefined where the bus has no liveness. */
	readonly heartbeat: BusHeartbeat | undefined;
	/** Topics with history are read again instead of getting a gap. */
	readonly histories: Histories | undefined;
	readonly shardOf: (channel: string) => number;
	readonly onError: (error: Error) => void;
}

/** Decides that messages may be missing: in which topics, from when to when. */
export class MissingMessages {
	readonly #options: MissingMessagesOptions;
	readonly #notices = new ReceivedGapNotices();

	constructor(options: MissingMessagesOptions) {
		this.#options = options;
	}

	/** The bus was interrupted and has resubscribed. */
	interrupted(channels: readonly string[] | 'all', since: number, reason: string): void {
		const { heartbeat, peers } = this.#options;
		const until = Date.now();
		const begin = heartbeat === undefined ? since : Math.min(since, heartbeat.provenUntil() - this.#slackMs);
		heartbeat?.rebase();
		peers.rebase(until);
		this.#mayBeMissing(this.#affected(channels), begin, until, reason);
	}

	/** A beat arrived, of this node or another one. */
	beat(channel: string, beat: Beat): void {
		const { origin, heartbeat, peers, channels, shardOf } = this.#options;
		if (beat.origin === origin) {
			heartbeat?.received(channel, beat.number, beat.sentAt);
			return;
		}
		const now = Date.now();
		const missedSince = peers.received(beat, now);
		if (missedSince === undefined) return;
		const ofShard = [...channels.live()].filter((each) => shardOf(each) === beat.shard);
		const reason = 'beats of another node were missed, and perhaps its messages';
		this.#mayBeMissing(this.#affected(ofShard), missedSince - this.#slackMs, now, reason);
	}

	/** Another node could not publish. */
	gapNotice(channel: string, { origin, everything, since, until, sentAt }: GapNotice): void {
		const now = Date.now();
		if (!this.#notices.isNew(`${origin} ${channel} ${since} ${until}`, now)) return;
		// The other node's clock may differ. The way here took some of this as well, so the span begins a little earlier.
		const skew = now - sentAt;
		const affected = this.#affected(everything ? 'all' : [channel]);
		this.#mayBeMissing(affected, since + skew - this.#slackMs, until + skew, 'another node could not publish');
	}

	/**
	 * The backend refused to subscribe to a channel again, since then and until now.
	 *
	 * @param error set while it still refuses
	 */
	refused(channel: string, since: number, error?: SubscriptionLostError): void {
		if (error !== undefined) this.#options.onError(error);
		const topics = isTopic(channel) ? [channel] : this.#affected([channel]);
		this.#mayBeMissing(topics, since - this.#slackMs, Date.now(), 'the backend refuses the topic');
	}

	/** Messages of a topic with history can't be recovered. */
	unrecoverable(topic: string, since: number, reason: string): void {
		this.#options.gaps.report({ topic, since: since - this.#slackMs, until: Date.now(), reason });
	}

	/** Whether a frame was sent over a connection that has failed since, so that it belongs to a gap. */
	isLate(sender: Sender): boolean {
		return this.#options.peers.isLate(sender);
	}

	#mayBeMissing(topics: Iterable<string>, since: number, until: number, reason: string): void {
		const { histories, gaps } = this.#options;
		if (histories === undefined) return gaps.add(topics, since, until, reason);
		const plain: string[] = [];
		for (const topic of topics) {
			if (histories.boundsOf(topic) === undefined) plain.push(topic);
			else histories.verify(topic);
		}
		gaps.add(plain, since, until, reason);
	}

	/** The topics of the channels. `*` stands for everything that is sent to sockets directly. */
	*#affected(channels: readonly string[] | 'all'): Generator<string> {
		let toSockets = false;
		for (const channel of channels === 'all' ? this.#options.channels.live() : channels) {
			if (!isTopic(channel)) toSockets ||= channel === BROADCAST_CHANNEL || socketOfChannel(channel) !== undefined;
			else if (this.#options.channels.isLive(channel)) yield channel;
		}
		if (toSockets) yield BROADCAST_CHANNEL;
	}

	/** How much earlier than the backend received it a message may have been published. */
	get #slackMs(): number {
		return (this.#options.heartbeat?.intervalMs ?? DEFAULT_HEARTBEAT_MS) / 2;
	}
}
