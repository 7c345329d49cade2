import { ApplicationError } from '../errors.ts';
import { show } from '../support/show.ts';

/** What runs when an application starts or stops; it is awaited. */
export type Hook = () => void | Promise<void>;

/** @throws {ApplicationError} it can't be called */
export function checkHook(call: string, hook: unknown): void {
	if (typeof hook !== 'function') throw new ApplicationError(`${call}(): a hook is a function, not ${show(hook)}`);
}
