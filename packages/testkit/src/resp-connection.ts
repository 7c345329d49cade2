import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeCommand, parseReply, RedisReplyError } from './resp.ts';
import type { Reply } from './resp.ts';
import { timeoutError, within } from './within.ts';

/** A connection for administrative commands. It supports no subscriptions and does not reconnect. */
export interface RespConnection {
	readonly closed: boolean;
	/**
	 * Sends a command and resolves with its reply. Rejects with `RedisReplyError` for an error reply; also rejects if
	 * the connection ends first, or after `timeoutMs`.
	 */
	command(args: readonly string[], timeoutMs?: number): Promise<Reply>;
	close(): void;
}

/** The address and credentials of a Redis on loopback. */
export interface RespAddress {
	readonly port: number;
	readonly password: string | undefined;
	/** The CA certificate as PEM. If it is set, TLS is used. */
	readonly ca: string | undefined;
}

/** Opens a connection. Resolves when it is connected and, if there is a password, authenticated. */
export async function connectResp(address: RespAddress): Promise<RespConnection> {
	const { port, password } = address;
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

	const socket = open(address);
	const connected = Promise.withResolvers<void>();
	socket.once(address.ca === undefined ? 'connect' : 'secureConnect', connected.resolve);
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

	const connection: RespConnection = {
		get closed() {
			return closed;
		},
		async command(args, timeoutMs = 5000) {
			if (closed) throw new Error(`the connection to Redis on port ${port} is closed`);
			const caller = Promise.withResolvers<Reply>();
			// A caller that has timed out stays in the queue, so that its late reply is not passed to the next caller.
			waiting.push(caller);
			socket.write(encodeCommand(args));
			const late = timeoutError(() => `no reply to ${args.join(' ')} within ${timeoutMs} ms; frozen?`);
			return within(timeoutMs, caller.promise, late);
		},
		close: () => end(new Error(`the connection to Redis on port ${port} was closed by the test`)),
	};
	try {
		if (password !== undefined) await connection.command(['AUTH', password]);
		return connection;
	} catch (error) {
		connection.close();
		throw error;
	}
}

function open({ port, ca }: RespAddress): Socket {
	const to = { host: '127.0.0.1', port };
	return ca === undefined ? connect({ ...to, noDelay: true }) : connectTls({ ...to, ca });
}
