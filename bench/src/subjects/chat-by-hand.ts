import { z } from 'zod';

const Say = z.object({ room: z.string(), text: z.string().max(500) });

/** What a frugal developer writes without a library: parse, find the kind, validate, handle, answer. */
export function answerByHand(text: string): string {
	const { type, data, correlationId } = JSON.parse(text) as { type: string; data: unknown; correlationId: string };
	switch (type) {
		case 'chat.say': {
			const said = Say.safeParse(data);
			if (!said.success)
				return JSON.stringify({ type, correlationId, error: { code: 'invalid_data', message: said.error.message } });
			return JSON.stringify({ type, correlationId, data: { id: '0123456789abcdef' } });
		}
		default:
			return JSON.stringify({ type, correlationId, error: { code: 'unknown_type', message: `Nothing handles ${type}` } });
	}
}
