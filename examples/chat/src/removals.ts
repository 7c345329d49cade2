import { UnknownSocketError, type WebSocketProvider } from '@orijs/websocket';
import { saidTopicOf, topicOf } from './messages.ts';

export interface Removal {
	/** The id of the person, which is that of their connection. */
	readonly id: string;
	readonly room: string;
	/** The name of the moderator. */
	readonly by: string;
}

/** How a removal begins among the texts that nodes send each other. */
const PREFIX = 'chat.remove ';

/** Removes people from rooms, whichever node they are connected to: it is the one that can unsubscribe them. */
export class Removals {
	readonly #provider: WebSocketProvider;

	constructor(provider: WebSocketProvider) {
		this.#provider = provider;
	}

	/** Begins to handle what other nodes ask for. Returns the function that ends it. */
	start(): () => void {
		return this.#provider.onNodeMessage(async (text) => {
			if (text.startsWith(PREFIX)) await this.#unsubscribe(JSON.parse(text.slice(PREFIX.length)) as Removal);
		});
	}

	/** Tells the person's node. Resolves when that will arrive, or if the person has left the chat already. */
	async remove(removal: Removal): Promise<void> {
		try {
			await this.#provider.sendToNodeOf(removal.id, PREFIX + JSON.stringify(removal));
		} catch (error) {
			if (!(error instanceof UnknownSocketError)) throw error;
		}
	}

	async #unsubscribe({ id, room, by }: Removal): Promise<void> {
		const why = { code: 'removed', message: `${by} has removed you from this room` };
		await Promise.all([topicOf(room), saidTopicOf(room)].map((topic) => this.#provider.unsubscribe(id, topic, why)));
	}
}
