import { SocketRequestError } from '@orijs/websocket-client';

/** Returns whether the server could not reach other nodes. */
export function isUnavailable(error: unknown): boolean {
	return error instanceof SocketRequestError && error.code === 'unavailable';
}

/** Explains an error to the visitor. */
export function reasonOf(error: unknown): string {
	const code = error instanceof SocketRequestError ? error.code : undefined;
	switch (code) {
		case 'disconnected':
			return 'The connection was lost, and this may or may not have arrived';
		case 'timeout':
			return 'No answer in time';
		case 'rate_limited':
			return 'That was too fast';
		case 'too_many_requests':
			return 'Too many messages are waiting already';
		case 'not_in_room':
			return 'You are not in this room';
		case 'unavailable':
			return 'Only people on this node received it';
		default:
			return 'It did not work';
	}
}
