import type { Logger } from '@orijs/websocket';

/** Logs nothing, for tests in which failures are expected. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
