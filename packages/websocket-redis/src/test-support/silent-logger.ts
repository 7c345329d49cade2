import type { Logger } from '@orijs/websocket';

/** A logger that discards all lines, for tests in which failures are expected. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
