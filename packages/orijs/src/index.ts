export * from '@orijs/core';
export * from '@orijs/websocket';
export * from '@orijs/websocket-client';
// What an application means by these names. Those of `@orijs/websocket` are for writing transports.
export type { PresenceInfo, PresenceState } from '@orijs/websocket-client';
