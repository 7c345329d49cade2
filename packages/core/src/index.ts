// Application
export { Application } from './application/application.ts';
export type { EndpointOptions } from './application/application.ts';
export type { ApplicationOptions, StopOptions } from './application/application-options.ts';
export type { Hook } from './application/hook.ts';
export type { FetchHandler, Route, RouteHandler, Routes } from './application/http-server.ts';
export type { ListenOptions, PortOptions, UnixSocketOptions } from './application/listen-options.ts';

// WebSocket endpoint
export { handlers } from './endpoint/handlers.ts';
export { SocketEndpoint } from './endpoint/socket-endpoint.ts';
export type { EndpointStopOptions } from './endpoint/socket-endpoint.ts';
export type { AppSocket, TopicSubscribeOptions, TopicUnsubscribeOptions } from './app-socket.ts';
export type { ConnectionData } from './connection-data.ts';
export type {
	Authorize,
	SocketEndpointOptions,
	TopicAuthorization,
	UpgradeResponse,
	UpgradeResult,
	WebSocketHandlers,
	WebSocketOptions,
} from './websocket-options.ts';
export type { EndpointPresenceOptions, PresenceInfoContext } from './presence-options.ts';
export type { ApplicationSocket } from './application/socket-emitter.ts';
export type { Limits } from './limits.ts';
export type { PerMessageDeflate } from './compression.ts';
export type { Refusal, RefusalCounts } from './refusals.ts';

// A server's own upgrades and handlers
export { SocketProtocol } from './raw-wiring/socket-protocol.ts';
export type { AcceptedUpgrade } from './raw-wiring/socket-protocol.ts';
export type { SocketProtocolLimits, SocketProtocolOptions } from './raw-wiring/socket-protocol-options.ts';

// Typed messages
export { SocketRouter } from './routing/socket-router.ts';
export type {
	Authenticate,
	ConnectionGuard,
	MessageGuard,
	MessageHandler,
	Reply,
	RouterOf,
	UnknownMessageHandler,
} from './routing/socket-router.ts';
export type { MessageMiddleware } from './routing/middleware.ts';
export type { EndpointEvent, EndpointEventListener } from './routing/endpoint-event.ts';
export type {
	AuthenticateContext,
	GuardContext,
	GuardSubscribeOptions,
	PartialState,
} from './routing/guard-context.ts';
export type { ContextPublishOptions } from './routing/context-publish-options.ts';
export type {
	ClosedConnection,
	CloseHook,
	LeftTopic,
	OpenHook,
	SubscribeHook,
	UnsubscribeHook,
} from './routing/hooks.ts';
export type { ConnectionContext } from './routing/connection-context.ts';
export type { MessageContext } from './routing/message-context.ts';
export type { RequestOptions } from './routing/client-requests.ts';

// Errors
export { ApplicationError, AsyncPresenceSchemaError, TooManyTopicsError } from './errors.ts';
