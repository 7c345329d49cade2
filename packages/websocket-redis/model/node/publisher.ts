import type { WsProvider } from '@orijs/websocket';
import { encodeEnvelope } from '@orijs/websocket/protocol';
import type { Channel } from '../ledger/records.ts';
import type { Random } from '../random.ts';
import type { Journal } from '../record/journal.ts';
import { trueNow } from '../record/true-time.ts';
import { MESSAGE, type Numbered, NumberedMessage } from '../numbered.ts';
import { BROADCASTS, DIRECT_MESSAGES, GIVEN_TOPICS, TOPIC_MESSAGES, TOPICS } from '../settings.ts';
import type { NodeEntry, Round } from './protocol.ts';

const ALL_TOPICS = [...TOPICS, ...GIVEN_TOPICS];
const TICK_MS = 20;
/** The longest delay that a late tick makes up for, in milliseconds: a node that was frozen must not flood. */
const LONGEST_TICK_MS = 100;

/** What a publish may reject with while things are broken; the second one only for a message to one client. */
const REJECTIONS: ReadonlySet<string> = new Set(['BusUnavailableError', 'UnknownSocketError']);

interface Planned {
	readonly channel: Channel;
	readonly n: number;
	readonly socketId?: string | undefined;
}

/** Publishes numbered messages at a steady rate. Each is written down before it is published, then its outcome. */
export class Publisher {
	/** The connections of clients, for messages to one of them. */
	sockets: readonly { readonly client: string; readonly socketId: string }[] = [];
	/** How many publishes are not settled. */
	pending = 0;
	readonly #by: string;
	readonly #provider: WsProvider;
	readonly #journal: Journal<NodeEntry>;
	readonly #random: Random;
	readonly #numbers = new Map<Channel, number>();
	#timer: ReturnType<typeof setInterval> | undefined;

	/** @param by this process, as in `Published.by` */
	constructor(by: string, provider: WsProvider, journal: Journal<NodeEntry>, random: Random) {
		this.#by = by;
		this.#provider = provider;
		this.#journal = journal;
		this.#random = random;
	}

	start(): void {
		let last = performance.now();
		const due = { topics: 0, broadcasts: 0, direct: 0 };
		this.#timer = setInterval(() => {
			const now = performance.now();
			const seconds = Math.min(now - last, LONGEST_TICK_MS) / 1_000;
			last = now;
			const planned: Planned[] = [];
			for (due.topics += TOPIC_MESSAGES * seconds; due.topics >= 1; due.topics--) {
				planned.push(this.#plan(this.#random.pick(ALL_TOPICS)));
			}
			for (due.broadcasts += BROADCASTS * seconds; due.broadcasts >= 1; due.broadcasts--) planned.push(this.#plan('*'));
			for (due.direct += DIRECT_MESSAGES * seconds; due.direct >= 1; due.direct--) {
				if (this.sockets.length === 0) continue;
				const { client, socketId } = this.#random.pick(this.sockets);
				planned.push(this.#plan(`@${client}`, socketId));
			}
			this.#publish(planned);
		}, TICK_MS);
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	/** Publishes one more message on every topic, and a broadcast. Returns the number of each. */
	round(): Round {
		const planned = [...ALL_TOPICS, '*'].map((channel) => this.#plan(channel));
		this.#publish(planned);
		return new Map(planned.map(({ channel, n }) => [channel, n]));
	}

	#plan(channel: Channel, socketId?: string): Planned {
		const n = this.#numbers.get(channel) ?? 0;
		this.#numbers.set(channel, n + 1);
		return { channel, n, socketId };
	}

	#publish(planned: readonly Planned[]): void {
		if (planned.length === 0) return;
		for (const message of planned) {
			this.#journal.add({ do: 'publish', at: trueNow(), stamp: Date.now(), ...message });
		}
		// If the process is killed now, it is known what it may have published.
		this.#journal.flush();
		for (const { channel, n, socketId } of planned) {
			const outcome = this.#call(channel, n, socketId);
			this.#journal.add({ do: 'called', channel, n, stamp: Date.now() });
			this.pending++;
			outcome
				.then(
					() => this.#journal.add({ do: 'outcome', channel, n, outcome: 'accepted' }),
					(error: Error) => this.#rejected(channel, n, error),
				)
				.finally(() => this.pending--)
				.catch(() => {});
		}
	}

	#rejected(channel: Channel, n: number, error: Error): void {
		const isStopped = error.name === 'ProviderStoppedError';
		this.#journal.add({ do: 'outcome', channel, n, outcome: isStopped ? 'refused' : 'rejected' });
		if (isStopped || REJECTIONS.has(error.name)) return;
		this.#journal.add({
			do: 'failure',
			at: trueNow(),
			what: `a publish on ${channel} rejected with ${Bun.inspect(error)}`,
		});
	}

	#call(channel: Channel, n: number, socketId: string | undefined): Promise<void> {
		const data: Numbered = { by: this.#by, channel, n };
		if (channel !== '*' && socketId === undefined) return this.#provider.emit(NumberedMessage, channel, data);
		const envelope = encodeEnvelope(MESSAGE, data);
		return socketId === undefined
			? this.#provider.broadcastEnvelope(envelope)
			: this.#provider.sendEnvelope(socketId, envelope);
	}
}
