import type { Envelope, InferOutput, SocketMessage } from '@orijs/websocket/protocol';

/** Returns whether an envelope contains a message of this kind; narrows the type of its `data`. */
export function isMessage<TMessage extends SocketMessage>(
	message: TMessage,
	envelope: Envelope,
): envelope is Envelope<InferOutput<TMessage['data']>> {
	return envelope.name === message.name;
}
