// The client
export { SocketClient } from './socket-client.ts';
export type { SocketClientOptions, WebSocketConstructor } from './options.ts';
export type { GivenPositions, PositionStorage } from './positions/position-storage.ts';
export type { ClientState, ConnectionEnd, StateChange } from './connection/client-state.ts';
export type { ClientRequestOptions, ReplyTo } from './requests/requests.ts';
export type { SendOptions } from './requests/sender.ts';
export type { RequestHandler } from './requests/incoming-requests.ts';
export type {
	Recovered,
	Subscription,
	SubscriptionHandlers,
	SubscriptionOptions,
} from './subscriptions/subscription.ts';
export { isMessage } from './subscriptions/is-message.ts';

// Shared with the server
export { SocketMessage } from '@orijs/websocket/protocol';
export type {
	Envelope,
	ErrorCode,
	GapNotice,
	InferInput,
	InferOutput,
	MessagePosition,
	Position,
	RequestMessage,
} from '@orijs/websocket/protocol';

// Errors
export {
	ClientClosedError,
	InvalidClientOptionError,
	ProtocolError,
	UnconfirmedMessagesError,
	UnsentMessageError,
} from './errors.ts';
export type { UnsentCode } from './errors.ts';
export type { ErrorListener, ErrorStage } from './failures.ts';
export {
	InvalidMessageDefinitionError,
	InvalidTopicError,
	MessageValidationError,
	SocketError,
	SocketRequestError,
} from '@orijs/websocket/protocol';
