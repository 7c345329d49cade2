import type { HistoryRules } from './history/history-rules.ts';
import type { Logger } from './logger.ts';
import { WsProvider } from './ws-provider.ts';

export interface InProcWsProviderOptions {
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
	/**
	 * Which topics keep their last messages, by pattern, as in `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`; they are in this process's
	 * memory. `*` stands for any characters, and the first pattern that fits counts. Default: none.
	 */
	readonly history?: HistoryRules;
}

/** The provider for one process: Bun's native pub/sub and nothing else. */
export class InProcWsProvider extends WsProvider {
	constructor(options: InProcWsProviderOptions = {}) {
		super(options);
	}
}

export function createInProcWsProvider(options: InProcWsProviderOptions = {}): InProcWsProvider {
	return new InProcWsProvider(options);
}
