import { isNumbered, MESSAGE } from '../numbered.ts';
import { WITNESS_TOPICS } from '../settings.ts';
import type { Journal } from '../record/journal.ts';
import { trueNow } from '../record/true-time.ts';
import type { NodeEntry } from './protocol.ts';

const RECONNECT_MS = 50;

/** What the node's own socket needs to know of a frame. */
interface Frame {
	readonly type?: string;
	readonly name?: string;
	readonly data?: unknown;
	readonly topic?: string;
	readonly position?: { readonly epoch: string; readonly offset: number };
}

/** A connection of the node to itself: what does not arrive here has not reached the sockets of this node. */
export class Witness {
	/** The numbers of what arrived last, by process and channel: `a1 plain:0`. */
	readonly last: Map<string, number> = new Map();
	socketId: string | undefined;
	readonly #url: string;
	readonly #journal: Journal<NodeEntry>;
	#socket: WebSocket | undefined;
	#hasLeft = false;

	constructor(url: string, journal: Journal<NodeEntry>) {
		this.#url = url;
		this.#journal = journal;
	}

	/** Resolves when it is connected, before its topics are. */
	connect(): Promise<void> {
		const opened = Promise.withResolvers<void>();
		const socket = new WebSocket(this.#url, 'orijs.1');
		this.#socket = socket;
		socket.onmessage = ({ data }) => {
			const frame = JSON.parse(String(data)) as Frame;
			if (frame.type === '@auth') {
				this.socketId = (frame.data as { readonly socketId: string }).socketId;
				this.#journal.add({ do: 'subscribed', at: trueNow(), channel: '*' });
				socket.send(JSON.stringify({ type: '@subscribe', data: { topics: WITNESS_TOPICS }, correlationId: 'topics' }));
				opened.resolve();
			} else if (frame.type === '@subscribe') {
				for (const channel of WITNESS_TOPICS) this.#journal.add({ do: 'subscribed', at: trueNow(), channel });
			} else if (frame.name === MESSAGE) this.#received(frame);
		};
		socket.onopen = () => socket.send(JSON.stringify({ type: '@auth', correlationId: 'auth' }));
		socket.onclose = () => {
			this.#journal.add({ do: 'disconnected', at: trueNow() });
			if (!this.#hasLeft) setTimeout(() => void this.connect(), RECONNECT_MS);
		};
		return opened.promise;
	}

	leave(): void {
		this.#hasLeft = true;
		this.#socket?.close();
	}

	#received({ data, position }: Frame): void {
		if (!isNumbered(data)) throw new Error(`an unknown message: ${JSON.stringify(data)}`);
		const { by, channel, n } = data;
		const at = position === undefined ? undefined : { epoch: position.epoch, offset: position.offset };
		this.#journal.add({ do: 'delivery', at: trueNow(), by, channel, n, position: at });
		this.last.set(`${by} ${channel}`, n);
	}
}
