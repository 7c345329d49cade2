/** The IPC messages between a test and its child process. `kind` distinguishes them from a script's other messages. */

export interface Request {
	readonly kind: 'testkit:request';
	readonly id: number;
	readonly body: unknown;
}

export interface Answer {
	readonly kind: 'testkit:answer';
	readonly id: number;
	readonly body: unknown;
}

export interface Failure {
	readonly kind: 'testkit:failure';
	readonly id: number;
	/** The error's stack, if it has one. It is sent as text, because IPC does not preserve the class of an error. */
	readonly error: string;
}

export interface Report {
	readonly kind: 'testkit:report';
	readonly body: unknown;
}

export type FromChild = Answer | Failure | Report;

export function isRequest(message: unknown): message is Request {
	return kindOf(message) === 'testkit:request';
}

export function isFromChild(message: unknown): message is FromChild {
	const kind = kindOf(message);
	return kind === 'testkit:answer' || kind === 'testkit:failure' || kind === 'testkit:report';
}

function kindOf(message: unknown): unknown {
	return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;
}
