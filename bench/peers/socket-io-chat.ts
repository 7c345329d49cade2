import type { Socket } from 'socket.io';
import { z } from 'zod';

const Say = z.object({ room: z.string(), text: z.string().max(500) });

type Answer = { readonly id: string } | { readonly error: string };

/** Validates and acknowledges `chat.say` messages of a socket. */
export function answerChat(socket: Socket): void {
	socket.on('chat.say', (data: unknown, answer?: (answer: Answer) => void) => {
		const parsed = Say.safeParse(data);
		answer?.(parsed.success ? { id: '0123456789abcdef' } : { error: 'invalid' });
	});
}
