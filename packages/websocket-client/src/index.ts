// The client
export { SocketClient } from './socket-client.ts';
export type { SocketClientOptions, WebSocketConstructor, WebSocketLike } from './options.ts';
export type { GivenPositions, PositionStorage } from './positions/position-storage.ts';
export type { ClientState, ConnectionEnd, StateChange } from './connection/client-state.ts';
export type { PingOptions } from './connection/reconnecting-connection.ts';
export type { ClientRequestOptions, ReplyTo } from './requests/request.ts';
export type { HistoryOptions } from './requests/history.ts';
export type { SendOptions } from './requests/send.ts';
export type { RequestHandler } from './requests/incoming-requests.ts';
export type {
	ClientTopic,
	PendingSubscription,
	Recovered,
	RecoveredTopic,
	SubscribedBy,
	Subscription,
	SubscriptionHandlers,
	SubscriptionOptions,
	TopicChange,
	TypedSubscriptionOptions,
	Unsubscribed,
} from './subscriptions/subscription.ts';
export type {
	InfoChange,
	MembersChange,
	PresenceHandle,
	PresenceInfo,
	PresenceOptions,
	PresenceState,
} from './presence/presence.ts';
export { isMessage } from './subscriptions/is-message.ts';

// Shared with the server
export { SocketMessage } from '@orijs/websocket/protocol';
export type {
	DisconnectedNotice,
	Envelope,
	ErrorCode,
	GapNotice,
	HistoryAnswer,
	InferInput,
	InferOutput,
	MessagePosition,
	Position,
	PositionedEnvelope,
	PresenceMember,
	RequestMessage,
	UncheckedMessage,
} from '@orijs/websocket/protocol';

// Errors
export {
	ClientClosedError,
	ConnectError,
	DuplicateHandlerError,
	InvalidClientOptionError,
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
