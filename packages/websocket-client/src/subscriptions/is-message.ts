import type { Envelope, InferOutput, SocketMessage } from '@orijs/websocket/protocol';

/** Whether an envelope holds a message of this kind, so that its `data` has that type. */
export function isMessage<TMessage extends SocketMessage>(
	message: TMessage,
	envelope: Envelope,
): envelope is Envelope<InferOutput<TMessage['data']>> {
	return envelope.name === message.name;
}
