// use-presence.ts
import type { PresenceMember, SocketClient } from '@orijs/websocket-client';
import { useEffect, useState } from 'react';

interface Here {
	readonly members: readonly PresenceMember[];
	readonly count: number | undefined;
	/** Show the list greyed out: it is as it was last known. */
	readonly isStale: boolean;
}

const UNKNOWN: Here = { members: [], count: undefined, isStale: true };

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
