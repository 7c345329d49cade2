import type { Envelope, InferOutput, SocketMessage } from '@orijs/websocket/protocol';

/** Whether an envelope holds a message of this kind; narrows the type of its `data`. */
export function isMessage<TMessage extends SocketMessage>(
	message: TMessage,
	envelope: Envelope,
): envelope is Envelope<InferOutput<TMessage['data']>> {
	return envelope.name === message.name;
}
