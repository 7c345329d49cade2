import type { PresenceInfo, SocketPresence, WebSocketConnection } from '@orijs/websocket';

/** Returns the info of a socket in a topic; undefined if it has no info, or belongs to another endpoint. */
export type Describe = (socket: WebSocketConnection, topic: string) => PresenceInfo | undefined;

interface Describers {
	readonly all: Set<Describe>;
	readonly stop: () => void;
}

/** Several endpoints can share a provider, which has one function for all its sockets. */
const describers = new WeakMap<SocketPresence, Describers>();

/** Adds an endpoint's function to those of its provider. Returns a function that removes it. */
export function describePresence(presence: SocketPresence, describe: Describe): () => void {
	const { all, stop } = describers.get(presence) ?? first(presence);
	all.add(describe);
	return () => {
		if (!all.delete(describe) || all.size > 0) return;
		describers.delete(presence);
		stop();
	};
}

function first(presence: SocketPresence): Describers {
	const all = new Set<Describe>();
	const stop = presence.describeBy((socket, topic) => {
		for (const describe of all) {
			const info = describe(socket, topic);
			if (info !== undefined) return info;
		}
		return undefined;
	});
	const begun = { all, stop };
	describers.set(presence, begun);
	return begun;
}
