import type { Envelope, InferOutput, SocketMessage } from '@orijs/websocket/protocol';

export type MessageListener<TMessage extends SocketMessage> = (
	data: InferOutput<TMessage['data']>,
	envelope: Envelope<InferOutput<TMessage['data']>>,
) => unknown;
