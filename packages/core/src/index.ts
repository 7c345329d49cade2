// Application
export { Application } from './application.ts';
export type { ApplicationOptions } from './application.ts';
export type { Hook } from './hook.ts';
export type { ListenOptions, Routes } from './http.ts';

// WebSocket endpoint
export type { AppSocket } from './app-socket.ts';
export type { ConnectionData } from './connection-data.ts';
export type { UpgradeResult, WebSocketHandlers, WebSocketOptions } from './websocket-options.ts';

// Errors
export { ApplicationError } from './errors.ts';
