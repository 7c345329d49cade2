import { z } from 'zod';
import { SocketMessage } from '../index.ts';

/** A number for each message, so that what is missing or twice is seen. */
export const Numbered = SocketMessage.define({ name: 'numbered', data: z.object({ n: z.number() }) });
/** Not answered. */
export const Say = SocketMessage.define({ name: 'say', data: z.object({ text: z.string() }) });
export const Add = SocketMessage.define({
	name: 'add',
	data: z.object({ a: z.number(), b: z.number() }),
	reply: z.number(),
});
/** Refused with that code; with none, the handler throws something else. */
export const Fail = SocketMessage.define({
	name: 'fail',
	data: z.object({ code: z.string().optional() }),
	reply: z.null(),
});
/** Answered once the stage says so. */
export const Wait = SocketMessage.define({ name: 'wait', data: z.number(), reply: z.number() });
/** What its schema says is known only later. */
export const Checked = SocketMessage.define({
	name: 'checked',
	data: z.string().refine(async (text) => {
		await new Promise((resolve) => setTimeout(resolve, 5));
		return text !== 'bad';
	}, 'is bad'),
	reply: z.string(),
});
/** Anything at all. */
export const Anything = SocketMessage.define({ name: 'anything', data: z.any(), reply: z.any() });
/** Nobody handles it. */
export const Unheard = SocketMessage.define({ name: 'unheard', data: z.null() });
/** The server asks for it. */
export const WhoAreYou = SocketMessage.define({ name: 'who-are-you', data: z.string(), reply: z.string() });
