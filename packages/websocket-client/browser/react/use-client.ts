// use-client.ts
import { SocketClient } from '@orijs/websocket-client';
import { useEffect, useState } from 'react';

/** A client that lives as long as the component. Undefined in the first render, and on a server. */
export function useClient(url: string): SocketClient | undefined {
	const [client, setClient] = useState<SocketClient>();
	useEffect(() => {
		const created = new SocketClient(url);
		void created.connect();
		setClient(created);
		return () => void created.close();
	}, [url]);
	return client;
}
