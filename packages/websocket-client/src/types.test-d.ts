// Checked by the compiler only, never run.

import type { WebSocket as UndiciWebSocket } from 'undici-types';
import { default as WsDefault, WebSocket as WsWebSocket } from 'ws';
import { z } from 'zod';
import {
	type ClientTopic,
	type Envelope,
	type InferInput,
	isMessage,
	type PositionStorage,
	type GapNotice,
	type MembersChange,
	type PendingSubscription,
	type PresenceHandle,
	type PresenceMember,
	type RecoveredTopic,
	type ReplyTo,
	type RequestHandler,
	type RequestMessage,
	SocketClient,
	SocketMessage,
	type SocketRequestError,
	type Subscription,
	type TopicChange,
	type Unsubscribed,
} from './index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const Add = SocketMessage.define({
	name: 'add',
	data: z.object({ a: z.number(), b: z.number().default(1) }),
	reply: z.number(),
});
const Said = SocketMessage.define({ name: 'said', data: z.object({ text: z.string() }) });
/** A message whose input is text and whose output is a date. */
const At = SocketMessage.define({
	name: 'at',
	data: z.string().transform((text) => new Date(text)),
	reply: z.string().transform((text) => new Date(text)),
});

const client = new SocketClient('ws://localhost/ws', { auth: async () => ({ token: 'secret' }) });
new SocketClient(new URL('wss://localhost/ws'), { WebSocket });

// The classes of packages can take the place of the global WebSocket.
new SocketClient('ws://localhost/ws', { WebSocket: WsWebSocket });
new SocketClient('ws://localhost/ws', { WebSocket: WsDefault });
declare const undici: { readonly WebSocket: typeof UndiciWebSocket };
new SocketClient('ws://localhost/ws', { WebSocket: undici.WebSocket });
new SocketClient('ws://localhost/ws', {
	WebSocket: class extends WsWebSocket {
		constructor(url: string) {
			super(url, { headers: { 'x-tenant': 'a' } });
		}
	},
});
// @ts-expect-error an instance is not a class
new SocketClient('ws://localhost/ws', { WebSocket: new WsWebSocket('ws://localhost/ws') });
// @ts-expect-error the class creates something else
new SocketClient('ws://localhost/ws', { WebSocket: EventTarget });

// Sent data has the input type of the schema, received data its output type.
void client.send(Add, { a: 1 });
void client.send(At, '2026-01-01');
client.on(Add, (data, envelope) => {
	same<typeof data, { a: number; b: number }>(true);
	same<typeof envelope, Envelope<{ a: number; b: number }>>(true);
});
client.on(At, (data) => same<typeof data, Date>(true));
// @ts-expect-error `a` is missing
void client.send(Add, {});
// @ts-expect-error `a` is a number
void client.send(Add, { a: '1' });
// @ts-expect-error the input is text
void client.send(At, new Date());
// @ts-expect-error a name is not a definition
void client.send('add', { a: 1 });
// @ts-expect-error the message has no `c`
client.on(Add, ({ c }) => c);

// A request resolves with the output type of `reply`, or with null.
void client.request(Add, { a: 1 }, { timeoutMs: 5, signal: AbortSignal.timeout(5) }).then((sum) => {
	same<typeof sum, number>(true);
});
void client.request(At, 'now').then((at) => same<typeof at, Date>(true));
void client.request(Said, { text: '' }).then((nothing) => same<typeof nothing, null>(true));
// @ts-expect-error there is no such option
void client.request(Add, { a: 1 }, { timeout: 5 });
void client.ping({ timeoutMs: 5 }).then((roundTripMs) => same<typeof roundTripMs, number>(true));
// @ts-expect-error there is no such option
void client.ping({ timeout: 5 });
// @ts-expect-error the data is missing
void client.request(Add);

// Unless the definition is known, the answer is unknown.
void client.request(Add as SocketMessage, {}).then((answer) => same<typeof answer, unknown>(true));
const Maybe = SocketMessage.define({ name: 'maybe', data: z.null(), reply: z.string().optional() });
void client.request(Maybe, null).then((answer) => same<typeof answer, string | undefined>(true));

// Dates and bytes are sent and received as such.
const Photo = SocketMessage.define({
	name: 'photo',
	data: z.object({ at: z.date(), bytes: z.instanceof(Uint8Array) }),
	reply: z.instanceof(ArrayBuffer),
});
client.on(Photo, (data) => same<typeof data, { at: Date; bytes: Uint8Array<ArrayBuffer> }>(true));
void client.request(Photo, { at: new Date(), bytes: new Uint8Array() }).then((raw) => {
	same<typeof raw, ArrayBuffer>(true);
});
// @ts-expect-error a date is not text
void client.send(Photo, { at: '2026-01-01', bytes: new Uint8Array() });

// Definitions without a schema have the types that they were given.
const Sum = SocketMessage.define<{ a: number }, number>('sum');
const Typing = SocketMessage.define<{ user: string }>('typing');
void client.request(Sum, { a: 1 }).then((sum) => same<typeof sum, number>(true));
void client.request(Typing, { user: 'Ada' }).then((nothing) => same<typeof nothing, null>(true));
client.on(Typing, (data) => same<typeof data, { user: string }>(true));
client.handle(Sum, ({ a }) => a + 1);
// @ts-expect-error this message has no reply
client.handle(Typing, () => null);
// @ts-expect-error the answer is a number
client.handle(Sum, () => 'two');
// @ts-expect-error the user is missing
void client.send(Typing, {});
// @ts-expect-error there is no such property
client.on(Typing, ({ name }) => name);
void client.send(SocketMessage.define('anything'), { any: 'data' });
// @ts-expect-error a name is text
SocketMessage.define<string>(5);

// A handler returns the input type of `reply`.
client.handle(Add, ({ a, b }) => a + b);
client.handle(At, async () => '2026-01-01');
// @ts-expect-error the answer is a number
client.handle(Add, () => 'three');
// @ts-expect-error an answer is required
client.handle(Add, () => {});
// @ts-expect-error this message has no reply
client.handle(Said, () => null);

// Subscriptions.
const pending = client.subscribe('t', {
	onMessage(data, envelope) {
		same<typeof data, unknown>(true);
		// @ts-expect-error the kind of message is not known yet
		void envelope.data.text;
		if (isMessage(Said, envelope)) same<typeof envelope.data, { text: string }>(true);
	},
	onGap: (gap) => same<typeof gap, GapNotice>(true),
	onRefused: (error) => same<typeof error, SocketRequestError>(true),
	onUnsubscribed: (why) => same<typeof why, Unsubscribed>(true),
});
same<typeof client.topics, readonly ClientTopic[]>(true);
client.onTopicsChange((change) => same<typeof change, TopicChange>(true));
client.onRecovered((recovered) => same<typeof recovered, RecoveredTopic>(true));
client.onGap((gap) => same<typeof gap, GapNotice>(true));
same<typeof pending, PendingSubscription>(true);
void pending.then((subscription) => same<typeof subscription, Subscription>(true));
void pending.close();
// @ts-expect-error there is no such handler
void client.subscribe('t', { onmessage() {} });
// @ts-expect-error a topic is text
void client.subscribe(5);
// @ts-expect-error only a message definition gives the data a type
void client.subscribe('t', { onMessage: (data: { text: string }) => data.text });
void client.subscribe('t', { signal: AbortSignal.timeout(5), timeoutMs: 5, buffer: 10 });

// The message that a subscription names gives its data a type, which is the output type of the schema.
const said = client.subscribe('t', {
	message: Said,
	onMessage(data, envelope) {
		same<typeof data, { text: string }>(true);
		same<typeof envelope, Envelope<{ text: string }>>(true);
	},
});
same<typeof said, PendingSubscription<{ text: string }>>(true);
void client.subscribe('t', { message: At, onMessage: (at) => same<typeof at, Date>(true) });
// @ts-expect-error another type than that of the message
void client.subscribe('t', { message: Said, onMessage: (data: { number: number }) => data.number });
// @ts-expect-error a type alone does not give the data a type
void client.subscribe<typeof Said>('t', { onMessage: (data) => data.text });
// @ts-expect-error a name is not a definition
void client.subscribe('t', { message: 'said' });

// Loops over subscriptions.
export async function loops(): Promise<void> {
	for await (const envelope of said) same<typeof envelope, Envelope<{ text: string }>>(true);
	for await (const { data } of await said) same<typeof data, { text: string }>(true);
	for await (const envelope of pending) same<typeof envelope, Envelope>(true);
}
client.onAny((envelope) => same<typeof envelope, Envelope>(true));
void client.subscribe('t', {
	rewind: 20,
	onMessage: (_, { position }) => void position?.prev.toFixed(),
	onRecovered({ recovered, count }) {
		same<typeof recovered, boolean>(true);
		same<typeof count, number>(true);
	},
});
// @ts-expect-error `rewind` is a number, not a position
void client.subscribe('t', { rewind: { epoch: 'e', offset: 1 } });
new SocketClient('ws://localhost/ws', { positions: client.positions });
new SocketClient('ws://localhost/ws', { positions: undefined });
declare const storage: PositionStorage;
new SocketClient('ws://localhost/ws', { positions: storage });
// @ts-expect-error storages must be synchronous
new SocketClient('ws://localhost/ws', { positions: { ...storage, getItem: async () => null } });
// @ts-expect-error a position has an epoch
new SocketClient('ws://localhost/ws', { positions: { t: { offset: 1 } } });

// Every `on` method returns a function that removes the listener.
same<ReturnType<typeof client.onGap>, () => void>(true);
const undos: (() => void)[] = [
	client.onStateChange((state, { previous, end, retryInMs }) => {
		same<typeof state, 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed'>(true);
		void [previous, end?.code, retryInMs?.toFixed()];
		// @ts-expect-error `end` may be undefined
		void end.code;
	}),
	client.onError((error, stage) => void [error.message, stage === 'send']),
	client.onRaw((data) => same<typeof data, string | ArrayBuffer>(true)),
];
void undos;

// Presence.
const here = client.presence('t', {
	onChange(change) {
		same<typeof change, MembersChange>(true);
		const { joined, members, count, isStale } = change;
		same<typeof joined, readonly PresenceMember[]>(true);
		void [members[0]?.info?.['name'], count.toFixed(), isStale];
		// @ts-expect-error nothing is known of the info
		void members[0]?.info?.['name'].length;
	},
	signal: new AbortController().signal,
});
same<typeof here, PresenceHandle>(true);
interface Said {
	readonly name: string;
	readonly mood?: 'good' | 'bad';
}
const typed = client.presence<Said>('t', {
	onChange({ members, joined }) {
		same<typeof members, readonly PresenceMember<Said>[]>(true);
		same<(typeof joined)[number]['info'], Said | undefined>(true);
	},
});
same<typeof typed, PresenceHandle<Said>>(true);
same<(typeof typed.members)[number]['info'], Said | undefined>(true);
void [typed.update({ mood: 'good' }), typed.update({ mood: undefined })];
// @ts-expect-error it is no such mood
void typed.update({ mood: 'so so' });
// @ts-expect-error info may be undefined
void typed.members[0]?.info.name;
const checked = client.presence('t', {
	schema: z.object({ name: z.string(), at: z.number().default(0) }),
	onChange({ left }) {
		same<(typeof left)[number]['info'], { name: string; at: number } | undefined>(true);
	},
	onRefused: (error) => same<typeof error, SocketRequestError>(true),
});
same<(typeof checked.members)[number]['info'], { name: string; at: number } | undefined>(true);
// @ts-expect-error info is an object
client.presence('t', { schema: z.string() });
const counted = client.presence('t', { members: false, onChange: ({ count }) => same<typeof count, number>(true) });
same<typeof counted, PresenceHandle>(true);
same<typeof here.count, number | undefined>(true);
void [here.ready, here.update({ status: 'away', mood: undefined }), here.close(), client.presence('t')];
// @ts-expect-error info is an object
void here.update('away');
// @ts-expect-error members are read-only
here.members.push();
// @ts-expect-error there is no such option
client.presence('t', { onJoin: () => {} });

// Options.
// @ts-expect-error credentials are returned by a function
new SocketClient('ws://localhost/ws', { auth: 'secret' });
// @ts-expect-error there is no such option
new SocketClient('ws://localhost/ws', { heartbeatMs: 5 });
// @ts-expect-error an endpoint is text or a URL
new SocketClient(3000);
// @ts-expect-error `state` is read-only
client.state = 'ready';

// Functions of an application's own can pass messages on.
function handleIn<T extends RequestMessage>(of: SocketClient, message: T, handler: RequestHandler<T>): () => void {
	return of.handle(message, handler);
}
function requestFrom<T extends SocketMessage>(
	of: SocketClient,
	message: T,
	data: InferInput<T['data']>,
): Promise<ReplyTo<T>> {
	return of.request(message, data, { timeoutMs: 100 });
}
void [handleIn, requestFrom];
