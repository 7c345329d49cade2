import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** A function that runs when an application starts or stops; it is awaited. */
export type Hook = () => void | Promise<void>;

/** Validates a hook. @throws {ApplicationError} the hook is not a function */
export function checkHook(call: string, hook: unknown): void {
	if (typeof hook !== 'function') throw new ApplicationError(`${call}(): hook must be a function, not ${show(hook)}`);
}
