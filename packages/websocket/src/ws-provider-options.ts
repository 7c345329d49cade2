import type { Bus } from './bus.ts';
import { checkOptionNames } from './call-checks.ts';
import { consoleLogger } from './console-logger.ts';
import { HistoryPatterns, type HistoryRules } from './history/history-rules.ts';
import type { Logger } from './logger.ts';
import { DEFAULT_COLLECT_ABOVE } from './loss/beat-mode.ts';
import { MOST_HEARTBEAT_MS } from './loss/beat-timing.ts';
import { DEFAULT_HEARTBEAT_MS } from './loss/bus-heartbeat.ts';
import { DEFAULT_GRACE_MS } from './nodes/channel-interest.ts';
import type { RemoteNodesOptions } from './nodes/remote-nodes.ts';
import { PresencePatterns, type PresenceRules } from './presence/presence-rules.ts';
import { safely } from './safe-logger.ts';
import { mustBeDelay } from './support/delay.ts';
import { mustBeNodeCount } from './support/node-count.ts';
import type { OptionNames } from './support/unknown-option.ts';
import { type Secret, signaturesOf } from './wire/secrets.ts';

export interface WsProviderOptions {
	/** The transport that carries messages between nodes. Without one, this process is the only node. */
	readonly bus?: Bus;
	/**
	 * The topics whose latest messages are kept, by pattern, such as `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`.
	 * `*` matches any characters, and the first matching pattern applies. Must be the same on all nodes. Default: no
	 * topics.
	 */
	readonly history?: HistoryRules;
	/**
	 * The topics whose presence is kept, by pattern, such as `{ 'room:*': { leaveDelayMs: 5_000 } }`. `*` matches any
	 * characters, and the first matching pattern applies. Must be the same on all nodes. Default: no topics.
	 */
	readonly presence?: PresenceRules;
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
	/**
	 * The time between a node's heartbeats, in milliseconds, from 50 to 1,000. Should be the same on all nodes. A
	 * connection on which two heartbeats go missing is considered dead. If the transport can't collect heartbeats, the
	 * actual time grows above 50 nodes, in proportion to their number. Default 500.
	 */
	readonly heartbeatMs?: number;
	/**
	 * The number of nodes above which the backend collects heartbeats, if the transport can do that: it then tells all
	 * nodes every 5 seconds what it has accepted from each, so that the load does not grow with the square of the number
	 * of nodes. At least 1. Default 32.
	 */
	readonly collectBeatsAbove?: number;
	/**
	 * How long `start`, once connected, waits for the backend to accept subscriptions, in milliseconds. Default 10,000.
	 */
	readonly startTimeoutMs?: number;
	/**
	 * How long a topic stays subscribed at the backend after its last socket has left, in milliseconds. Default 1,000.
	 */
	readonly graceMs?: number;
	/**
	 * With a secret, nodes sign what acts on other nodes, and skip it if it is not signed: heartbeats, gap notices, and
	 * the messages by which nodes subscribe and disconnect each other's sockets. What is published or sent to sockets is
	 * not signed. Text or bytes, at least 32 characters or bytes, the same on all nodes. In a list, the first secret
	 * signs, and all are accepted. The clocks of the nodes must agree within a minute. Default: nothing is signed.
	 */
	readonly secret?: Secret | readonly Secret[];
	/**
	 * With a `secret`: whether to accept what is not signed nevertheless, for as long as nodes without the secret run.
	 * Default false.
	 */
	readonly acceptUnsigned?: boolean;
}

const OPTIONS: OptionNames<WsProviderOptions> = {
	bus: true,
	history: true,
	presence: true,
	logger: true,
	heartbeatMs: true,
	collectBeatsAbove: true,
	startTimeoutMs: true,
	graceMs: true,
	secret: true,
	acceptUnsigned: true,
};

const DEFAULT_START_TIMEOUT_MS = 10_000;

/** Valid options, with defaults. */
export interface ReadOptions {
	readonly bus: Bus | undefined;
	readonly history: HistoryPatterns | undefined;
	readonly presence: PresencePatterns | undefined;
	/** Never throws. */
	readonly logger: Logger;
	readonly remote: Pick<
		RemoteNodesOptions,
		'graceMs' | 'heartbeatMs' | 'collectBeatsAbove' | 'startTimeoutMs' | 'signatures'
	>;
}

/** @throws {InvalidOptionError} */
export function readProviderOptions(options: WsProviderOptions): ReadOptions {
	checkOptionNames('WsProvider', options, OPTIONS);
	const {
		bus,
		history,
		presence,
		logger = consoleLogger,
		graceMs = DEFAULT_GRACE_MS,
		heartbeatMs = DEFAULT_HEARTBEAT_MS,
		collectBeatsAbove = DEFAULT_COLLECT_ABOVE,
		startTimeoutMs = DEFAULT_START_TIMEOUT_MS,
	} = options;
	mustBeDelay('graceMs', graceMs, 0);
	mustBeDelay('heartbeatMs', heartbeatMs, 50, MOST_HEARTBEAT_MS);
	mustBeNodeCount('collectBeatsAbove', collectBeatsAbove);
	mustBeDelay('startTimeoutMs', startTimeoutMs, 1);
	const signatures = signaturesOf(options);
	return {
		bus,
		history: history === undefined ? undefined : new HistoryPatterns(history),
		presence: presence === undefined ? undefined : new PresencePatterns(presence),
		logger: safely(logger),
		remote: { graceMs, heartbeatMs, collectBeatsAbove, startTimeoutMs, signatures },
	};
}
