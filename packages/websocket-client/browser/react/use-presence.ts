// use-presence.ts
import type { PresenceState, SocketClient } from '@orijs/websocket-client';
import { useEffect, useState } from 'react';

type Here = Pick<PresenceState, 'members' | 'count' | 'isStale'>;

const UNKNOWN: Here = { members: [], count: undefined, isStale: true }; // with isStale, show the list greyed out

/** Returns who is in a topic. Renders again when that changes. */
export function usePresence(client: SocketClient, topic: string): Here {
	const [known, setKnown] = useState<{ readonly topic: string; readonly here: Here }>();
	useEffect(() => {
		const handle = client.presence(topic, { onChange: (here) => setKnown({ topic, here }) });
		return () => handle.close();
	}, [client, topic]);
	// Until something of the new topic is known, the state is that of the previous one.
	return known?.topic === topic ? known.here : UNKNOWN;
}
