import type { PresenceMember } from '../index.ts';
import { PlayedServer } from './played-server.ts';
import { PresenceLog } from './presence-log.ts';
import type { TestServer } from './test-server.ts';

export const version = (n: number, epoch = 'e') => ({ epoch, n });

export function members(...keys: string[]): PresenceMember[] {
	return keys.map((key) => ({ key, connections: 1, since: 1_000 }));
}

/** Plays a server that keeps presence. */
export class PlayedPresence extends PlayedServer {
	static async start(server: TestServer): Promise<PlayedPresence> {
		await server.serveRaw({ answers: false });
		const played = new PlayedPresence(server);
		await played.ready();
		return played;
	}

	/** Answers the client's next frame, which must be `@watch`. */
	async watched(n: number, keys: string, more: object = {}): Promise<void> {
		const { correlationId } = await this.next('@watch');
		const all = keys.split(' ').filter(Boolean);
		const page = { topic: 't', version: version(n), count: all.length, members: members(...all), ...more };
		await this.answer('@watch', correlationId, page);
	}

	async refuse(type: string, code: string): Promise<void> {
		await this.refuseRequest(type, (await this.next(type)).correlationId, code);
	}

	/** Tells what has changed between two versions. */
	change(from: number, to: number, more: object): Promise<void> {
		return this.send('@presence', { topic: 't', version: version(to), previous: version(from), count: 0, ...more });
	}

	watch(): PresenceLog {
		return new PresenceLog(this.client, 't');
	}
}
