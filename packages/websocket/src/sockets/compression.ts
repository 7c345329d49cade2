import { InvalidOptionError } from '../errors.ts';
import { show } from '../support/show.ts';
import { type Payload, roughSize } from '../wire/payload.ts';
import type { NativeMethods } from './native-methods.ts';
import type { PubSubServer } from './pub-sub-server.ts';
import type { WebSocketConnection } from './websocket-connection.ts';

/** @throws {InvalidOptionError} */
export function checkCompressFrom(bytes: number | undefined): void {
	if (bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0)) return;
	throw new InvalidOptionError(`compressFromBytes must be a whole number of bytes, 0 or more, not ${show(bytes)}`);
}

/** Returns the server with a `publish` that compresses messages of at least `from` bytes. */
export function compressingServer(server: PubSubServer, from: number): PubSubServer {
	return {
		publish: (topic, data) => server.publish(topic, data, roughSize(data as Payload) >= from),
		...(server.subscriberCount && { subscriberCount: server.subscriberCount.bind(server) }),
	};
}

/** Returns Bun's methods with a `send` that compresses messages of at least `from` bytes. */
export function compressingMethods(native: NativeMethods, from: number): NativeMethods {
	const { subscribe, unsubscribe, isSubscribed, send } = native;
	const methods: NativeMethods & ThisType<WebSocketConnection> = {
		subscribe,
		unsubscribe,
		isSubscribed,
		send(data) {
			return send.call(this, data, roughSize(data as Payload) >= from);
		},
	};
	return methods;
}
