import type { Load } from './protocol.ts';
import type { Publisher } from './publisher.ts';

const TICK_MS = 10;
/** The longest delay that a late tick makes up for, in milliseconds, so that a delayed node does not send a flood. */
const LONGEST_TICK_MS = 100;
/** The number of messages published to a topic at once, so that frames hold more than one. */
const MESSAGES_AT_ONCE = 2;

/** Publishes at a steady rate, to each topic and each socket in turn. Returns a function that stops the load. */
export function generate(load: Load, publisher: Publisher): () => void {
	const nextTopic = inTurn(load.topics);
	const nextSocket = inTurn(load.sockets);
	const parts = [
		paced(load.messages / MESSAGES_AT_ONCE, () => {
			const topic = nextTopic();
			for (let i = 0; i < MESSAGES_AT_ONCE; i++) publisher.toTopic(topic);
		}),
		paced(load.broadcasts, () => publisher.toAll()),
		paced(load.directMessages * load.sockets.length, () => {
			const { receiver, socketId } = nextSocket();
			publisher.toSocket(receiver, socketId);
		}),
	];
	let last = performance.now();
	const timer = setInterval(() => {
		const now = performance.now();
		const elapsed = Math.min(now - last, LONGEST_TICK_MS);
		last = now;
		for (const advance of parts) advance(elapsed);
	}, TICK_MS);
	return () => clearInterval(timer);
}

/** Calls `act` at a rate of `perSecond`. The returned function takes the milliseconds since its last call. */
function paced(perSecond: number, act: () => void): (elapsedMs: number) => void {
	let due = 0;
	return (elapsedMs) => {
		for (due += (perSecond * elapsedMs) / 1_000; due >= 1; due--) act();
	};
}

function inTurn<T>(items: readonly T[]): () => T {
	let next = 0;
	return () => items[next++ % items.length] as T;
}
