import { z } from 'zod';

const Say = z.object({ room: z.string(), text: z.string().max(500) });
const Reply = z.object({ id: z.string() });

interface Request {
	readonly type: string;
	readonly data: unknown;
	readonly correlationId: string;
}

/**
 * Answers a request with the code that developers would write without a library: it parses, dispatches, validates,
 * handles, validates the reply (or not), and replies.
 */
export function answerByHand(text: string): string | Promise<string> {
	const { type, data, correlationId } = JSON.parse(text) as Request;
	switch (type) {
		case 'chat.say': {
			const parsed = Say.safeParse(data);
			if (!parsed.success) return refusal(type, correlationId, 'invalid_data', parsed.error.message);
			return JSON.stringify({ type, correlationId, data: Reply.parse({ id: '0123456789abcdef' }) });
		}
		case 'chat.tell': {
			const parsed = Say.safeParse(data);
			if (!parsed.success) return refusal(type, correlationId, 'invalid_data', parsed.error.message);
			return JSON.stringify({ type, correlationId, data: { id: '0123456789abcdef' } });
		}
		case 'chat.ask': {
			const parsed = Say.safeParse(data);
			if (!parsed.success) return refusal(type, correlationId, 'invalid_data', parsed.error.message);
			return idLater().then((id) => JSON.stringify({ type, correlationId, data: Reply.parse({ id }) }));
		}
		default:
			return refusal(type, correlationId, 'unknown_type', `No handler for ${type}`);
	}
}

async function idLater(): Promise<string> {
	return '0123456789abcdef';
}

function refusal(type: string, correlationId: string, code: string, message: string): string {
	return JSON.stringify({ type, correlationId, error: { code, message } });
}
