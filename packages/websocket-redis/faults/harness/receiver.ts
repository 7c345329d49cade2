import { until } from '@orijs/testkit';
import { decodeMessage } from '../ledger/message.ts';
import type { Channel, Receiver } from '../ledger/run.ts';

interface LiveArrivals {
	readonly numbers: number[];
	readonly at: number[];
}

/** A client that is connected and writes down what it gets. */
export interface LiveReceiver extends Receiver {
	readonly socketId: string;
	/** False once its connection is gone, which no fault here is a reason for. */
	readonly isConnected: () => boolean;
	/** Whether that message of that publisher, or a later one, has arrived. */
	hasHeard(publisher: string, channel: Channel, number: number): boolean;
	close(): void;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Resolves once the client is in all its topics, so that from then on it has to get everything. */
export async function connectReceiver(
	url: string,
	node: string,
	name: string,
	topics: readonly string[],
): Promise<LiveReceiver> {
	const streams = new Map<string, Map<Channel, LiveArrivals>>();
	const socket = new WebSocket(url);
	let socketId: string | undefined;
	let joined = false;
	socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
		if (!data.startsWith('!')) record(streams, data);
		else if (data.startsWith('!id ')) socketId = data.slice('!id '.length);
		else joined = true;
	});
	await until(() => socketId !== undefined, { what: `${name} is connected`, timeoutMs: CONNECT_TIMEOUT_MS });
	socket.send(topics.join(' '));
	await until(() => joined, { what: `${name} is in its topics`, timeoutMs: CONNECT_TIMEOUT_MS });
	return {
		name,
		node,
		socketId: socketId ?? '',
		channels: new Set([...topics, '*', `@${name}`]),
		since: Date.now(),
		streams,
		isConnected: () => socket.readyState === WebSocket.OPEN,
		hasHeard: (publisher, channel, number) => (streams.get(publisher)?.get(channel)?.numbers.at(-1) ?? -1) >= number,
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
