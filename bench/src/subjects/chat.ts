import { MessageValidationError, SocketMessage, validate } from '@orijs/websocket/protocol';
import { z } from 'zod';

const Say = SocketMessage.define({
	name: 'chat.say',
	data: z.object({ room: z.string(), text: z.string().max(500) }),
	reply: z.object({ id: z.string() }),
});

type Handler = (data: unknown) => unknown;

const HANDLERS = new Map<string, Handler>([[Say.name, answerSay]]);

function answerSay(data: unknown): unknown {
	void validate(Say, data as never);
	return { id: '0123456789abcdef' };
}

/** Parses a message, finds its handler, validates, handles and answers, with this system's message definitions. */
export function answer(text: string): string {
	const { type, data, correlationId } = JSON.parse(text) as { type: string; data: unknown; correlationId: string };
	const handler = HANDLERS.get(type);
	if (handler === undefined) return refusal('unknown', `no message is called ${type}`, correlationId);
	try {
		return JSON.stringify({ data: handler(data), correlationId });
	} catch (error) {
		if (error instanceof MessageValidationError) return refusal('invalid', error.message, correlationId);
		throw error;
	}
}

function refusal(code: string, message: string, correlationId: string): string {
	return JSON.stringify({ error: { code, message }, correlationId });
}
