import { SocketRequestError } from '@orijs/websocket-client';

/** The server could not reach other nodes. */
export function isUnavailable(error: unknown): boolean {
	return error instanceof SocketRequestError && error.code === 'unavailable';
}

/** Explains an error to the visitor. */
export function reasonOf(error: unknown): string {
	const code = error instanceof SocketRequestError ? error.code : undefined;
	switch (code) {
		case 'disconnected':
			return 'The connection was lost, it may have arrived or not';
		case 'timeout':
			return 'No answer in time';
		case 'rate_limited':
			return 'That was too fast';
		case 'too_many_requests':
			return 'Too much waits already';
		case 'unavailable':
			return 'Only people on this node got it';
		default:
			return 'It did not work';
	}
}
