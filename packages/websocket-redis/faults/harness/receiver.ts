import { until } from '@orijs/testkit';
import { decodeMessage } from '../counting/message.ts';
import type { Channel, Receiver } from '../counting/run.ts';

interface LiveArrivals {
	readonly numbers: number[];
	readonly at: number[];
}

/** A connected client that records the messages it receives. */
export interface LiveReceiver extends Receiver {
	readonly socketId: string;
	/** Returns false once the client has lost its connection, which no fault here may cause. */
	readonly isConnected: () => boolean;
	/** Its node stops or is killed: from this time on it need not receive anything. */
	release(from: number): void;
	/** Returns whether this message of the publisher, or a later one, has arrived. */
	hasReceived(publisher: string, channel: Channel, number: number): boolean;
	close(): void;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Connects a client. Resolves once it is subscribed to all its topics: it must receive every message from then on. */
export async function connectReceiver(
	url: string,
	node: string,
	name: string,
	topics: readonly string[],
): Promise<LiveReceiver> {
	const streams = new Map<string, Map<Channel, LiveArrivals>>();
	const socket = new WebSocket(url);
	let socketId: string | undefined;
	let isSubscribed = false;
	socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
		if (!data.startsWith('!')) record(streams, data);
		else if (data.startsWith('!id ')) socketId = data.slice('!id '.length);
		else isSubscribed = true;
	});
	await until(() => socketId !== undefined, { what: `${name} is connected`, timeoutMs: CONNECT_TIMEOUT_MS });
	socket.send(topics.join(' '));
	await until(() => isSubscribed, { what: `${name} is subscribed`, timeoutMs: CONNECT_TIMEOUT_MS });
	let released: number | undefined;
	return {
		name,
		node,
		socketId: socketId ?? '',
		channels: new Set([...topics, '*', `@${name}`]),
		since: Date.now(),
		get until() {
			return released;
		},
		release: (from) => void (released = from),
		streams,
		isConnected: () => socket.readyState === WebSocket.OPEN,
		hasReceived: (publisher, channel, number) => (streams.get(publisher)?.get(channel)?.numbers.at(-1) ?? -1) >= number,
		close: () => socket.close(),
	};
}

function record(streams: Map<string, Map<Channel, LiveArrivals>>, text: string): void {
	const { publisher, channel, number } = decodeMessage(text);
	let channels = streams.get(publisher);
	if (channels === undefined) streams.set(publisher, (channels = new Map()));
	let arrivals = channels.get(channel);
	if (arrivals === undefined) channels.set(channel, (arrivals = { numbers: [], at: [] }));
	arrivals.numbers.push(number);
	arrivals.at.push(Date.now());
}
