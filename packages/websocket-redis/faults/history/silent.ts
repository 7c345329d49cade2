import type { Logger } from '@orijs/websocket';

/** Says nothing: that links break is what the tests are for. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
