import { z } from 'zod';
import { SocketMessage } from '../index.ts';

/** A message with a number, so that missing and duplicate messages can be detected. */
export const Numbered = SocketMessage.define({ name: 'numbered', data: z.object({ n: z.number() }) });
/** A message without a reply. */
export const Say = SocketMessage.define({ name: 'say', data: z.object({ text: z.string() }) });
export const Add = SocketMessage.define({
	name: 'add',
	data: z.object({ a: z.number(), b: z.number() }),
	reply: z.number(),
});
/** The handler refuses this message with its `code`; without a code, it throws an ordinary error. */
export const Fail = SocketMessage.define({
	name: 'fail',
	data: z.object({ code: z.string().optional() }),
	reply: z.null(),
});
/** A request that is answered only after `releaseWaits()`. */
export const Wait = SocketMessage.define({ name: 'wait', data: z.number(), reply: z.number() });
/** A message with an asynchronous schema. */
export const Checked = SocketMessage.define({
	name: 'checked',
	data: z.string().refine(async (text) => {
		await new Promise((resolve) => setTimeout(resolve, 5));
		return text !== 'bad';
	}, 'is bad'),
	reply: z.string(),
});
/** A request that accepts any data and is answered with it. */
export const Anything = SocketMessage.define({ name: 'anything', data: z.any(), reply: z.any() });
/** A message without a handler. */
export const Unhandled = SocketMessage.define({ name: 'unhandled', data: z.null() });
/** A request from the server to the client. */
export const WhoAreYou = SocketMessage.define({ name: 'who-are-you', data: z.string(), reply: z.string() });
