import { describeMessages } from './describe-messages.ts';
import { timeoutError, within } from './within.ts';

export type Message = string | Uint8Array;

/** The messages that a client has received, in order, and the callers that wait for further messages. */
export interface ReceivedMessages {
	readonly all: Message[];
	push(message: Message): void;
	/** Called when no more messages will arrive. Pending and later waits reject with this reason. */
	end(reason: string): void;
	/** Resolves with the oldest unconsumed message that matches, and consumes it. */
	next(matches: (message: Message) => boolean, timeoutMs: number): Promise<Message>;
	/** Resolves with all messages once at least `count` have arrived. */
	atLeast(count: number, timeoutMs: number): Promise<Message[]>;
}

interface Waiter {
	/** Called after each message. Returns whether the wait has settled. */
	check: () => boolean;
	reject: (error: Error) => void;
}

export function createReceivedMessages(): ReceivedMessages {
	const all: Message[] = [];
	const unconsumed: Message[] = [];
	const waiters = new Set<Waiter>();
	let endReason: string | undefined;

	const checkWaiters = (): void => {
		for (const waiter of waiters) if (waiter.check()) waiters.delete(waiter);
	};

	const take = (matches: (message: Message) => boolean): Message | undefined => {
		const index = unconsumed.findIndex(matches);
		return index === -1 ? undefined : unconsumed.splice(index, 1)[0];
	};

	/** Resolves with the result of `find`, once it is not `undefined`. */
	const wait = async <T>(find: () => T | undefined, timeoutMs: number, missing: () => string): Promise<T> => {
		const answer = Promise.withResolvers<T>();
		const waiter: Waiter = {
			check() {
				try {
					const found = find();
					if (found !== undefined) answer.resolve(found);
					return found !== undefined;
				} catch (error) {
					answer.reject(error); // The predicate threw.
					return true;
				}
			},
			reject: answer.reject,
		};
		if (!waiter.check()) {
			if (endReason !== undefined) throw new Error(`${endReason}; ${missing()}`);
			waiters.add(waiter);
		}
		try {
			return await within(
				timeoutMs,
				answer.promise,
				timeoutError(() => `waited ${timeoutMs} ms; ${missing()}`),
			);
		} finally {
			waiters.delete(waiter);
		}
	};

	return {
		all,
		push(message) {
			all.push(message);
			unconsumed.push(message);
			checkWaiters();
		},
		end(reason) {
			endReason = reason;
			for (const { reject } of waiters) reject(new Error(`${reason} while the test waited for a message`));
		},
		next: (matches, timeoutMs) =>
			wait(
				() => take(matches),
				timeoutMs,
				() => `no message matched; unconsumed: ${describeMessages(unconsumed)}`,
			),
		atLeast: (count, timeoutMs) =>
			wait(
				() => (all.length >= count ? all : undefined),
				timeoutMs,
				() => `wanted ${count} message(s), received ${describeMessages(all)}`,
			),
	};
}
