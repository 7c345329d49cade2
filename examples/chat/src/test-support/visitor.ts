import { connectClient, type TestClient } from '@orijs/testkit';
import type { FromPage, FromServer } from '../protocol.ts';

/** A chat client without a page. */
export interface Visitor extends TestClient {
	tell(message: FromPage): void;
	/** Resolves with the next message of a type. */
	hear<TType extends FromServer['type']>(type: TType): Promise<Extract<FromServer, { type: TType }>>;
	/** Enters a room, and resolves when the server says so. */
	join(name: string, room: string): Promise<void>;
}

export async function visit(port: number | undefined): Promise<Visitor> {
	const client = await connectClient(`ws://localhost:${port}/ws`);
	const visitor: Visitor = {
		...client,
		tell: (message) => client.send(JSON.stringify(message)),
		async hear<TType extends FromServer['type']>(type: TType) {
			const message = await client.next((message) => parse(message).type === type);
			return parse(message) as Extract<FromServer, { type: TType }>;
		},
		async join(name, room) {
			visitor.tell({ type: 'join', name, room });
			await visitor.hear('joined');
		},
	};
	return visitor;
}

function parse(message: string | Uint8Array): FromServer {
	return JSON.parse(String(message)) as FromServer;
}
