import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/**
 * A function that runs when an application starts or stops. It is awaited; its result is ignored, and the type left
 * open, so that a hook can use `app` in the chain that creates it.
 */
export type Hook = () => any;

/** Validates a hook. @throws {ApplicationError} the hook is not a function */
export function checkHook(call: string, hook: unknown): void {
	if (typeof hook !== 'function') throw new ApplicationError(`${call}(): hook must be a function, not ${show(hook)}`);
}
