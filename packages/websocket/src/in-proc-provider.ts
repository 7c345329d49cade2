import type { Logger } from './logger.ts';
import { WsProvider } from './ws-provider.ts';

export interface InProcWsProviderOptions {
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
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
