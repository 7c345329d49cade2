// use-topic.ts
import type { InferOutput, SocketClient, SocketMessage } from '@orijs/websocket-client';
import { useEffect, useState } from 'react';

/** What has been received of a topic. */
interface Received<TData> {
	readonly topic: string;
	readonly messages: readonly TData[];
	/** Whether messages may be missing. */
	readonly hasGap: boolean;
	/** Why the server has refused the topic. */
	readonly error?: Error;
}

/** The messages of one kind in a topic. With `rewind`, begins with the last ones in its history. */
export function useTopic<TMessage extends SocketMessage>(
	client: SocketClient,
	topic: string,
	message: TMessage,
	rewind?: number,
): Received<InferOutput<TMessage['data']>> {
	const nothing = { topic, messages: [], hasGap: false };
	const [received, setReceived] = useState<Received<InferOutput<TMessage['data']>>>(nothing);
	useEffect(() => {
		let current: typeof received = { topic, messages: [], hasGap: false };
		const show = (change: Partial<typeof received>): void => setReceived((current = { ...current, ...change }));
		const subscription = client.subscribe(topic, {
			message,
			rewind,
			onMessage: (data) => show({ messages: [...current.messages, data] }),
			onGap: () => show({ hasGap: true }),
			onRefused: (error) => show({ error }),
		});
		return () => void subscription.close();
	}, [client, topic, message, rewind]);
	// Until something of the new topic arrives, the state is that of the previous one.
	return received.topic === topic ? received : nothing;
}
