import { InvalidMessageDefinitionError, isDefinition, type SocketMessage } from '@orijs/websocket/protocol';

/** Returns the message if it is a definition. @throws {InvalidMessageDefinitionError} it is not */
export function mustBeDefinition<TMessage extends SocketMessage>(message: TMessage): TMessage {
	if (isDefinition(message)) return message;
	throw new InvalidMessageDefinitionError('create messages with SocketMessage.define({ name, data })');
}
