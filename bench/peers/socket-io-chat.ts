import type { Socket } from 'socket.io';
import { z } from 'zod';

const Say = z.object({ room: z.string(), text: z.string().max(500) });

type Answer = { readonly id: string } | { readonly error: string };

/** Answers `chat.say`, as far as it carries an acknowledgement id: validated, and nothing done with it. */
export function answerChat(socket: Socket): void {
	socket.on('chat.say', (data: unknown, answer?: (answer: Answer) => void) => {
		const said = Say.safeParse(data);
		answer?.(said.success ? { id: '0123456789abcdef' } : { error: 'invalid' });
	});
}
