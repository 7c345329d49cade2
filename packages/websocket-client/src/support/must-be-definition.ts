import { InvalidMessageDefinitionError, isDefinition, type SocketMessage } from '@orijs/websocket/protocol';

/** @throws {InvalidMessageDefinitionError} */
export function mustBeDefinition<TMessage extends SocketMessage>(message: TMessage): TMessage {
	if (isDefinition(message)) return message;
	throw new InvalidMessageDefinitionError('make messages with SocketMessage.define({ name, data })');
}
