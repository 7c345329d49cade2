import type { Gap, WebSocketProvider } from '@orijs/websocket';
import { encodeGapNotice } from '@orijs/websocket/protocol';
import { Session } from './session.ts';

/** The topic of gaps in what is sent to sockets themselves. */
const TO_SOCKETS = '*';

/** Tells the clients of this node where messages may be missing. */
export class GapNotices {
	readonly #provider: WebSocketProvider;
	readonly #undo: () => void;

	constructor(provider: WebSocketProvider) {
		this.#provider = provider;
		this.#undo = provider.onGap((gap) => this.#tell(gap));
	}

	#tell(gap: Gap): void {
		const notice = encodeGapNotice(gap);
		for (const session of gap.topic === TO_SOCKETS ? this.#everyone() : this.#in(gap.topic)) session.send(notice);
	}

	*#everyone(): Generator<Session> {
		for (const { data } of this.#provider.getConnections()) if (data instanceof Session) yield data;
	}

	*#in(topic: string): Generator<Session> {
		for (const socketId of this.#provider.getTopicSubscribers(topic)) {
			const data = this.#provider.getConnection(socketId)?.data;
			if (data instanceof Session) yield data;
		}
	}

	/** Tells one client that any message to it may be missing, until now. Returns false when that could not be sent either. */
	tellOne(session: Session, since: number): boolean {
		const until = Date.now();
		let isTold = true;
		for (const topic of [TO_SOCKETS, ...session.topics]) {
			isTold = session.send(encodeGapNotice({ topic, since, until })) && isTold;
		}
		return isTold;
	}

	stop(): void {
		this.#undo();
	}
}
