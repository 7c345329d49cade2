import type { HistoryRules } from './history/history-rules.ts';
import type { Logger } from './logger.ts';
import { WsProvider } from './ws-provider.ts';

export interface InProcWsProviderOptions {
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
	/**
	 * Which topics keep their last messages, in this process's memory, by pattern, as in
	 * `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`. `*` stands for any characters, and the first pattern that matches
	 * applies. Default: none.
	 */
	readonly history?: HistoryRules;
}

/** The provider for a single process, on Bun's native pub/sub. */
export class InProcWsProvider extends WsProvider {
	constructor(options: InProcWsProviderOptions = {}) {
		super(options);
	}
}

export function createInProcWsProvider(options: InProcWsProviderOptions = {}): InProcWsProvider {
	return new InProcWsProvider(options);
}
