// Connections and topics
export { SocketCoordinator } from './socket-coordinator.ts';
export type { SocketCoordinatorOptions } from './socket-coordinator.ts';
export { isTopic } from './protocol/index.ts';
export type { SocketData, WebSocketConnection } from './sockets/websocket-connection.ts';

// Providers
export { createInProcWsProvider, InProcWsProvider } from './in-proc-provider.ts';
export type { InProcWsProviderOptions } from './in-proc-provider.ts';
export type {
	ChangedBy,
	EncodedPageOptions,
	HistoryPageOptions,
	MembershipListener,
	NodeMessaging,
	PublishOptions,
	SkippedFrames,
	Watermark,
	SocketEmitter,
	SocketHistory,
	SocketLifecycle,
	SocketMetrics,
	SocketReliability,
	SubscribeOptions,
	UnsubscribeOptions,
	Unsubscription,
	WebSocketProvider,
} from './provider-contract.ts';
export type { Gap } from './loss/gap-events.ts';
export type { ProviderStatus } from './support/provider-status.ts';
export type { Payload } from './wire/payload.ts';
export type { Secret } from './wire/secrets.ts';
export type { PubSubServer, ServerOptions } from './sockets/pub-sub-server.ts';
export type { SlowReaderOptions } from './sockets/slow-readers.ts';

// All nodes
export type {
	ActionOptions,
	ActionResult,
	Answered,
	Cluster,
	ClusterSubscribeOptions,
	ClusterUnsubscribeOptions,
	ConnectionInfo,
	ConnectionsOptions,
	ConnectionsResult,
	CountResult,
	DisconnectOptions,
	NodeAnswers,
	NodeEmitOptions,
	NodeMessageContext,
	NodeMessageHandler,
	NodeRequestOptions,
	Reauthorization,
	ReauthorizeResult,
	Reauthorizer,
	Target,
	TimeLimit,
	ToNodes,
} from './cluster/cluster-contract.ts';
export type { NodeInfo, NodeLeft, NodesChange } from './nodes/node-directory.ts';
export {
	DuplicateNodeHandlerError,
	InvalidTargetError,
	NoHandlerError,
	NodeRequestError,
	NodeVersionError,
	SchemaTimeoutError,
} from './cluster/errors.ts';

// History
export type { Recovery, ResumeFrom } from './history/catch-up.ts';
export type { HistoryPage } from './history/history-page.ts';
export type { EncodedPage } from './history/shared-pages.ts';
export type { HistoryRule, HistoryRules } from './history/history-rules.ts';

// Presence
export {
	InvalidPresenceInfoError,
	NotPresentError,
	PresenceLeaseLostError,
	PresenceNotKeptError,
	PresenceUnavailableError,
} from './presence/errors.ts';
export type {
	Presence,
	PresenceChange,
	PresenceInfo,
	PresencePage,
	PresencePageOptions,
	SocketPresence,
	WatchedMembers,
	WatchOptions,
} from './presence/presence-contract.ts';
export type { PresenceEvents, PresenceRule, PresenceRules } from './presence/presence-rules.ts';

// Writing a transport
export { WsProvider } from './ws-provider.ts';
export type { WsProviderOptions } from './ws-provider-options.ts';
export type { BeatStore, Bus, BusHandlers, BusLiveness, BusStage, BusStatus, StoredBeat, StoredNode } from './bus.ts';

export {
	APPENDED_WITHIN_MS,
	HIGHEST_OFFSET,
	IDEMPOTENCY_MS,
	LEAST_READ,
	LONGEST_STEP,
	randomEpoch,
	rememberedMs,
} from './history/history-store.ts';
export { provisionalEpoch } from './history/provisional-epoch.ts';
export type {
	Beginning,
	HistoryBounds,
	HistoryContent,
	HistoryEntry,
	HistoryQuery,
	HistorySlice,
	HistoryStore,
} from './history/history-store.ts';
export {
	APPLIED_WITHIN_MS,
	CLAIMED_MS,
	RELEASED_QUIET_MS,
	INFO_IS_NEW_MS,
	MAX_INFO_BYTES,
	MAX_KEY_BYTES,
	MAX_PRESENCE_OPS,
	VERSION_KEPT_MS,
} from './presence/presence-store.ts';
export type {
	PresenceBatch,
	PresenceLease,
	PresenceOp,
	PresenceQuery,
	PresenceState,
	PresenceStore,
	Renewal,
	StoredMember,
	StoredPresence,
	Sweep,
	SweepOptions,
} from './presence/presence-store.ts';

// Typed messages
export {
	InvalidMessageDefinitionError,
	InvalidTopicError,
	MessageValidationError,
	SocketError,
	SocketMessage,
	SocketRequestError,
	UnsupportedValueError,
} from './protocol/index.ts';
export type {
	Envelope,
	ErrorCode,
	InferInput,
	InferOutput,
	MessageIssue,
	MessagePosition,
	Position,
	PositionedEnvelope,
	PresenceMember,
	PresenceVersion,
} from './protocol/index.ts';

// Logging
export { consoleLogger } from './console-logger.ts';
export { safely } from './safe-logger.ts';
export type { LogDetails, Logger } from './logger.ts';

// Errors
export {
	BusUnavailableError,
	DuplicateSocketError,
	ExceptWithHistoryError,
	HistoryUnavailableError,
	InvalidExceptError,
	InvalidIdempotencyKeyError,
	InvalidNodeIdError,
	InvalidOptionError,
	InvalidPayloadError,
	InvalidPositionError,
	InvalidServerError,
	InvalidSocketDataError,
	InvalidSocketError,
	InvalidSocketIdError,
	InvalidUserIdError,
	MessageDroppedError,
	NoHistoryError,
	ProviderNotStartedError,
	ProviderStoppedError,
	SubscribeError,
	SubscriptionLostError,
	UnknownSocketError,
} from './errors.ts';
