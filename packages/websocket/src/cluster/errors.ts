import { BrandedError } from '../protocol/branded-error.ts';
import type { ErrorCode } from '../protocol/client-message.ts';
import { show } from '../support/show.ts';

/** Thrown if the target of an action is invalid. */
export class InvalidTargetError extends BrandedError {
	static override readonly brand: string = 'InvalidTargetError';
	declare readonly name: 'InvalidTargetError';
	constructor(target: unknown) {
		super(`Invalid target ${show(target)}: pass one of { socketId }, { userId } and { topic }, or 'all'`);
	}
}

/** Thrown if a message between nodes that has a reply is given a second handler. */
export class DuplicateNodeHandlerError extends BrandedError {
	static override readonly brand: string = 'DuplicateNodeHandlerError';
	declare readonly name: 'DuplicateNodeHandlerError';
	/** The message's name. */
	declare readonly messageName: string;
	constructor(messageName: string) {
		super(`${messageName} has a handler on this node already, and only one can reply: remove the first one before`);
		this.messageName = messageName;
	}
}

/** A node has no handler for a request. */
export class NoHandlerError extends BrandedError {
	static override readonly brand: string = 'NoHandlerError';
	declare readonly name: 'NoHandlerError';
	declare readonly nodeId: string;
	/** The message's name. */
	declare readonly messageName: string;
	constructor(nodeId: string, messageName: string) {
		super(`Node ${nodeId} has no handler for ${messageName}: call provider.cluster.on() there`);
		this.nodeId = nodeId;
		this.messageName = messageName;
	}
}

/** A node runs another version of the protocol between nodes, as seen during a rolling deployment. */
export class NodeVersionError extends BrandedError {
	static override readonly brand: string = 'NodeVersionError';
	declare readonly name: 'NodeVersionError';
	declare readonly nodeId: string;
	constructor(nodeId: string, theirs: number, ours: number) {
		super(`Node ${nodeId} speaks version ${theirs} of the protocol between nodes, this node version ${ours}`);
		this.nodeId = nodeId;
	}
}

/** Thrown if the schema of a message between nodes does not come to a result in time. Nothing was sent. */
export class SchemaTimeoutError extends BrandedError {
	static override readonly brand: string = 'SchemaTimeoutError';
	declare readonly name: 'SchemaTimeoutError';
	/** The message's name. */
	declare readonly messageName: string;
	constructor(messageName: string, timeoutMs: number) {
		super(`The schema of ${messageName} has not come to a result within ${timeoutMs} ms`);
		this.messageName = messageName;
	}
}

/** A node could not answer a request. */
export class NodeRequestError extends BrandedError {
	static override readonly brand: string = 'NodeRequestError';
	declare readonly name: 'NodeRequestError';
	declare readonly nodeId: string;
	/** The message's name. */
	declare readonly messageName: string;
	/**
	 * That of a `SocketError` of the handler; or `internal` (the handler failed; that node's log says why),
	 * `invalid_data` or `invalid_reply` (the data or the reply do not match the message's schema).
	 */
	declare readonly code: ErrorCode;
	constructor(nodeId: string, messageName: string, code: ErrorCode, message: string) {
		super(`Node ${nodeId} failed to answer ${messageName}: ${message} (${code})`);
		this.nodeId = nodeId;
		this.messageName = messageName;
		this.code = code;
	}
}
