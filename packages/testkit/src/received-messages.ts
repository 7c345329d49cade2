import { describeMessages } from './describe-messages.ts';
import { timeoutError, within } from './within.ts';

export type Message = string | Uint8Array;

/** What a client received, in order, and those who wait for more of it. */
export interface ReceivedMessages {
	readonly all: Message[];
	push(message: Message): void;
	/** No more will come: everyone who waits, or comes to wait, is told why. */
	end(why: string): void;
	next(matches: (message: Message) => boolean, timeoutMs: number): Promise<Message>;
	atLeast(count: number, timeoutMs: number): Promise<Message[]>;
}

/** Somebody who waits looks at the messages on every change, and has settled once `look` returned true. */
interface Waiter {
	look: () => boolean;
	fail: (error: Error) => void;
}

export function createReceivedMessages(): ReceivedMessages {
	const all: Message[] = [];
	const unconsumed: Message[] = [];
	const waiters = new Set<Waiter>();
	let ended: string | undefined;

	const lookAgain = (): void => {
		for (const waiter of waiters) if (waiter.look()) waiters.delete(waiter);
	};

	const take = (matches: (message: Message) => boolean): Message | undefined => {
		const index = unconsumed.findIndex(matches);
		return index === -1 ? undefined : unconsumed.splice(index, 1)[0];
	};

	/** `find` returns the answer, or `undefined` while there is none. */
	const wait = async <T>(find: () => T | undefined, timeoutMs: number, missing: () => string): Promise<T> => {
		const answer = Promise.withResolvers<T>();
		const waiter: Waiter = {
			look() {
				try {
					const found = find();
					if (found !== undefined) answer.resolve(found);
					return found !== undefined;
				} catch (error) {
					answer.reject(error); // A predicate that throws.
					return true;
				}
			},
			fail: answer.reject,
		};
		if (!waiter.look()) {
			if (ended !== undefined) throw new Error(`${ended}; ${missing()}`);
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
			lookAgain();
		},
		end(why) {
			ended = why;
			for (const { fail } of waiters) fail(new Error(`${why} while the test waited for a message`));
		},
		next: (matches, timeoutMs) =>
			wait(
				() => take(matches),
				timeoutMs,
				() => `no message matched, unconsumed is ${describeMessages(unconsumed)}`,
			),
		atLeast: (count, timeoutMs) =>
			wait(
				() => (all.length >= count ? all : undefined),
				timeoutMs,
				() => `wanted ${count} message(s), received ${describeMessages(all)}`,
			),
	};
}
