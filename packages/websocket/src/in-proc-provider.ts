import { checkOptionNames } from './call-checks.ts';
import type { HistoryRules } from './history/history-rules.ts';
import type { Logger } from './logger.ts';
import type { PresenceRules } from './presence/presence-rules.ts';
import type { OptionNames } from './support/unknown-option.ts';
import { WsProvider } from './ws-provider.ts';

export interface InProcWsProviderOptions {
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
	/**
	 * The topics whose latest messages are kept in this process's memory, by pattern, such as
	 * `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`. `*` matches any characters, and the first matching pattern
	 * applies. Default: no topics.
	 */
	readonly history?: HistoryRules;
	/**
	 * The topics whose presence is kept, by pattern, such as `{ 'room:*': { leaveDelayMs: 5_000 } }`. `*` matches any
	 * characters, and the first matching pattern applies. Default: no topics.
	 */
	readonly presence?: PresenceRules;
}

const OPTIONS: OptionNames<InProcWsProviderOptions> = { logger: true, history: true, presence: true };

/** The provider for a single process. It is based on Bun's native pub/sub. */
export class InProcWsProvider extends WsProvider {
	/** @throws {InvalidOptionError} */
	constructor(options: InProcWsProviderOptions = {}) {
		checkOptionNames('InProcWsProvider', options, OPTIONS);
		super(options);
	}
}

/** Same as `new InProcWsProvider(options)`. @throws {InvalidOptionError} */
export function createInProcWsProvider(options: InProcWsProviderOptions = {}): InProcWsProvider {
	return new InProcWsProvider(options);
}
