import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
	type ActionResult,
	type Bus,
	type Cluster,
	type Envelope,
	type InferInput,
	type InferOutput,
	InProcWsProvider,
	type Logger,
	type NodeAnswers,
	type Payload,
	SocketCoordinator,
	type SocketEmitter,
	type SocketLifecycle,
	SocketMessage,
	type Target,
	type WebSocketConnection,
	type WebSocketProvider,
	WsProvider,
} from './index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the two types are the same. */
function same<A, B>(_: Same<A, B>): void {}

declare const orderSchema: StandardSchemaV1<{ id: string }>;
declare const numberFromText: StandardSchemaV1<string, number>;
declare const emitter: SocketEmitter;
declare const ws: WebSocketConnection<{ name: string }>;
declare const bus: Bus;

const OrderPaid = SocketMessage.define({ name: 'order.paid', data: orderSchema });
const Amount = SocketMessage.define({ name: 'amount', data: numberFromText, reply: orderSchema });

// emit takes the input of the message's schema.
void emitter.emit(OrderPaid, 'account:42', { id: 'o1' });
void emitter.emit(Amount, 'account:42', '42');
// @ts-expect-error an order's id is a string
void emitter.emit(OrderPaid, 'account:42', { id: 7 });
// @ts-expect-error an order has an id
void emitter.emit(OrderPaid, 'account:42', {});
// @ts-expect-error an order has no name
void emitter.emit(OrderPaid, 'account:42', { id: 'o1', name: 'x' });
// @ts-expect-error the schema's input is text; only its output is a number
void emitter.emit(Amount, 'account:42', 42);
// @ts-expect-error data is required
void emitter.emit(OrderPaid, 'account:42');
// @ts-expect-error a message is a definition, not a name
void emitter.emit('order.paid', 'account:42', { id: 'o1' });

// A message has the input and output types of its schemas.
same<InferInput<typeof Amount.data>, string>(true);
same<InferOutput<typeof Amount.data>, number>(true);
same<InferInput<typeof Amount.reply>, { id: string }>(true);
same<typeof OrderPaid.reply, undefined>(true);
same<Envelope<number>['data'], number>(true);
// @ts-expect-error a definition is read-only
OrderPaid.name = 'other';
// @ts-expect-error data needs a schema
SocketMessage.define({ name: 'x' });
// @ts-expect-error a schema is a Standard Schema
SocketMessage.define({ name: 'x', data: { parse: () => 1 } });
// @ts-expect-error a name is a string
SocketMessage.define({ name: 7, data: orderSchema });

// Payloads
const payloads: Payload[] = [
	'',
	new ArrayBuffer(1),
	new Uint8Array(1),
	new Float64Array(1),
	new DataView(new ArrayBuffer(1)),
	Buffer.from(''),
];
void payloads;
// @ts-expect-error an object is not a payload; JSON.stringify or emit it
void emitter.publish('t', { text: 'x' });
// @ts-expect-error a number is not a payload
void emitter.broadcast(7);
// @ts-expect-error undefined is not a payload
void emitter.send('id', undefined);

// A provider implements its interfaces, and methods that send return promises.
const provider: WebSocketProvider = new InProcWsProvider({ logger: console });
const lifecycle: SocketLifecycle = provider;
const asEmitter: SocketEmitter = provider;
void [lifecycle, asEmitter];
same<ReturnType<SocketEmitter['publish']>, Promise<void>>(true);
same<ReturnType<SocketEmitter['send']>, Promise<void>>(true);
same<ReturnType<SocketEmitter['broadcast']>, Promise<void>>(true);
new WsProvider({ bus, graceMs: 100 });
// @ts-expect-error an in-process provider has no bus
new InProcWsProvider({ bus });

// Coordinator
const coordinator = new SocketCoordinator({ provider });
void coordinator.addConnection(ws);
same<ReturnType<typeof coordinator.getConnection<{ name: string }>>, WebSocketConnection<{ name: string }> | undefined>(
	true,
);
same<ReturnType<typeof coordinator.getConnectionCount>, number>(true);
same<ReturnType<typeof coordinator.getTopicSubscribers>, ReadonlySet<string>>(true);
// @ts-expect-error a coordinator needs a provider
new SocketCoordinator({});
// @ts-expect-error topics are changed through subscribe and unsubscribe
ws.data.topics.add('t');
// @ts-expect-error a socket keeps its id
ws.data.socketId = crypto.randomUUID();

// All nodes as one
declare const cluster: Cluster;
same<typeof provider.cluster, Cluster>(true);
const targets: Target[] = [{ socketId: 'x' }, { userId: '42' }, { topic: 't' }, 'all'];
void targets;
same<ReturnType<typeof cluster.disconnect>, Promise<ActionResult>>(true);
void cluster.disconnect(
	{ userId: '42' },
	{ code: 'banned', message: 'x', reconnect: false, timeoutMs: 1, except: ['x'] },
);
// @ts-expect-error a target names one kind of thing
void cluster.disconnect({ userId: '42', topic: 't' });
// @ts-expect-error only 'all' is a target of its own
void cluster.disconnect('everyone');
// @ts-expect-error the user's id is a string
void cluster.subscribe({ userId: 42 }, 't');
// @ts-expect-error a topic is required
void cluster.unsubscribe({ userId: '42' });
// @ts-expect-error the server itself unsubscribes them
void cluster.unsubscribe('all', 't', { by: 'client' });
// @ts-expect-error the results can't be changed
(await cluster.connections('all')).connections.push({});

// Messages between nodes: a handler gets the output of the schema, and returns the input of the reply's schema.
cluster.on(OrderPaid, ({ id }, { from }) => [id, from]);
cluster.on(Amount, (amount) => ({ id: amount.toFixed() }));
cluster.on(Amount, async (amount) => ({ id: amount.toFixed() }));
// @ts-expect-error the reply of the message has an id
cluster.on(Amount, () => ({}));
// @ts-expect-error a request needs a reply
cluster.on(Amount, () => {});
void cluster.emit(Amount, '42', { to: 'all' });
void cluster.emit(OrderPaid, { id: 'o1' }, { to: ['node'] });
// @ts-expect-error the schema's input is text
void cluster.emit(Amount, 42);
// @ts-expect-error a node is named by its id
void cluster.emit(Amount, '42', { to: 7 });
same<ReturnType<typeof cluster.request<typeof Amount>>, Promise<NodeAnswers<{ id: string }>>>(true);
// @ts-expect-error a message without a reply is no request
void cluster.request(OrderPaid, { id: 'o1' });

// Logging: the console is a logger.
const logger: Logger = console;
void logger;
