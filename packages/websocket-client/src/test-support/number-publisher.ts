import type { WsProvider } from '@orijs/websocket';
import { Numbered } from './messages.ts';
import type { Published } from './test-server.ts';

const INTERVAL_MS = 2;

/** Emits numbered messages until the returned function is called, which returns all that were emitted. */
export function startNumberPublisher(provider: WsProvider, topic: string): () => Published[] {
	const published: Published[] = [];
	const timer = setInterval(() => {
		const n = published.length;
		published.push({ n, at: Date.now() });
		void provider.emit(Numbered, topic, { n });
	}, INTERVAL_MS);
	return () => {
		clearInterval(timer);
		return published;
	};
}
