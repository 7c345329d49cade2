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
const content = z.object({ at: z.date(), bytes: z.instanceof(Uint8Array), raw: z.instanceof(ArrayBuffer) });
/** The server sends the content back: as the reply, as a message, as a request, or to the topic that `via` names. */
export const Parcel = SocketMessage.define({
	name: 'parcel',
	data: z.object({ via: z.string(), content }),
	reply: content,
});
/** Sent by the handler of `parcel`. */
export const Delivered = SocketMessage.define({ name: 'delivered', data: content, reply: content });
/** A message whose reply may be undefined. */
export const Maybe = SocketMessage.define({ name: 'maybe', data: z.null(), reply: z.string().optional() });
/** A request from the server to the client. */
export const WhoAreYou = SocketMessage.define({ name: 'who-are-you', data: z.string(), reply: z.string() });
