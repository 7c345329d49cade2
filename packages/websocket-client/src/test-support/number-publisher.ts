import type { WsProvider } from '@orijs/websocket';
import { Numbered } from './messages.ts';
import type { Published } from './test-server.ts';

const EVERY_MS = 2;

/** Emits numbered messages until it is stopped. */
export function startNumberPublisher(provider: WsProvider, topic: string): () => Published[] {
	const published: Published[] = [];
	const timer = setInterval(() => {
		const n = published.length;
		published.push({ n, at: Date.now() });
		void provider.emit(Numbered, topic, { n });
	}, EVERY_MS);
	return () => {
		clearInterval(timer);
		return published;
	};
}
