import { byId } from '@orijs/examples-shared/element';
import { MAX_WHY_LENGTH } from '../../admin-messages.ts';

const dialog = byId('ban-dialog', HTMLDialogElement);
const form = byId('ban-form', HTMLFormElement);
const input = byId('why', HTMLInputElement);
const who = byId('ban-name', HTMLElement);

input.maxLength = MAX_WHY_LENGTH;

/** Asks for the reason of a ban. Resolves with undefined if there is to be none. */
export function askWhy(name: string): Promise<string | undefined> {
	who.textContent = name;
	input.value = '';
	dialog.showModal();
	return new Promise((resolve) => {
		const asking = new AbortController();
		const settle = (why?: string): void => {
			asking.abort();
			resolve(why);
		};
		form.addEventListener('submit', () => settle(input.value), { signal: asking.signal });
		// Escape closes the dialog.
		dialog.addEventListener('close', () => settle(), { signal: asking.signal });
	});
}
