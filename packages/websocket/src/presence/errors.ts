import { BrandedError } from '../protocol/branded-error.ts';
import { show } from '../protocol/show.ts';

/** Thrown if presence is asked for in a topic where it is not kept. */
export class PresenceNotKeptError extends BrandedError {
	static override readonly brand: string = 'PresenceNotKeptError';
	declare readonly name: 'PresenceNotKeptError';
	readonly topic: string;
	constructor(topic: string) {
		super(`The presence of ${show(topic)} is not kept: no pattern of the provider's option presence matches it`);
		this.topic = topic;
	}
}

/** Thrown if the members of a topic can't be read: the backend is unavailable, or refused it. */
export class PresenceUnavailableError extends BrandedError {
	static override readonly brand: string = 'PresenceUnavailableError';
	declare readonly name: 'PresenceUnavailableError';
	readonly topic: string;
	constructor(topic: string, options?: ErrorOptions) {
		const { cause } = options ?? {};
		const because = cause instanceof Error ? `: ${cause.message}` : '';
		super(`The members of ${show(topic)} could not be read${because}`, options);
		this.topic = topic;
	}
}

/** Thrown by a presence store if a node's lease is unknown to the backend, or has been swept. */
export class PresenceLeaseLostError extends BrandedError {
	static override readonly brand: string = 'PresenceLeaseLostError';
	declare readonly name: 'PresenceLeaseLostError';
	constructor() {
		super("This node's lease has expired: its members are put again under a new one");
	}
}

/** Thrown if a member's info is not allowed. */
export class InvalidPresenceInfoError extends BrandedError {
	static override readonly brand: string = 'InvalidPresenceInfoError';
	declare readonly name: 'InvalidPresenceInfoError';
	/** `too_large` if that is the reason. */
	readonly code: 'invalid' | 'too_large';
	constructor(message: string, code: 'invalid' | 'too_large' = 'invalid') {
		super(message);
		this.code = code;
	}
}

/** Thrown if a socket is to change its info in a topic that it is not in. */
export class NotPresentError extends BrandedError {
	static override readonly brand: string = 'NotPresentError';
	declare readonly name: 'NotPresentError';
	readonly topic: string;
	constructor(socketId: string, topic: string) {
		super(`Socket ${show(socketId)} is not in ${show(topic)}`);
		this.topic = topic;
	}
}
