import { connect } from 'node:net';
import { encodeCommand, parseReply, RedisReplyError } from './resp.ts';
import type { Reply } from './resp.ts';
import { within } from './within.ts';

/** One connection for administration: commands one by one, no subscribing, no reconnect. */
export interface RespConnection {
	readonly closed: boolean;
	/** Rejects with `RedisReplyError` for an error reply, and otherwise when the connection ends or time is up first. */
	command(args: readonly string[], timeoutMs?: number): Promise<Reply>;
	close(): void;
}

export async function connectResp(port: number): Promise<RespConnection> {
	const waiting: PromiseWithResolvers<Reply>[] = [];
	let unparsed = Buffer.alloc(0);
	let closed = false;

	const end = (cause: Error): void => {
		closed = true;
		socket.destroy();
		for (const { reject } of waiting.splice(0)) reject(cause);
	};

	const settleCallers = (): void => {
		for (let parsed = parseReply(unparsed, 0); parsed; parsed = parseReply(unparsed, 0)) {
			unparsed = unparsed.subarray(parsed.next);
			const caller = waiting.shift();
			if (parsed.reply instanceof RedisReplyError) caller?.reject(parsed.reply);
			else caller?.resolve(parsed.reply);
		}
	};

	const socket = connect({ host: '127.0.0.1', port, noDelay: true });
	const connected = Promise.withResolvers<void>();
	socket.once('connect', connected.resolve);
	socket.on('error', (error) => {
		connected.reject(error);
		end(error);
	});
	socket.on('close', () => {
		const error = new Error(`the connection to Redis on port ${port} was closed`);
		connected.reject(error);
		end(error);
	});
	socket.on('data', (chunk: Buffer) => {
		unparsed = Buffer.concat([unparsed, chunk]);
		try {
			settleCallers();
		} catch (error) {
			end(error as Error);
		}
	});
	await connected.promise;

	return {
		get closed() {
			return closed;
		},
		async command(args, timeoutMs = 5000) {
			if (closed) throw new Error(`the connection to Redis on port ${port} is closed`);
			const caller = Promise.withResolvers<Reply>();
			// A caller who gave up keeps his place, so that a late reply does not go to the next one.
			waiting.push(caller);
			socket.write(encodeCommand(args));
			return within(caller.promise, timeoutMs, () => `no reply to ${args.join(' ')} within ${timeoutMs} ms; frozen?`);
		},
		close: () => end(new Error(`the connection to Redis on port ${port} was closed by the test`)),
	};
}
