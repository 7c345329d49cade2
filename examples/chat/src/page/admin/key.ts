import { byId } from '@orijs/examples-shared/element';

const STORED_AS = 'chat-key';

const dialog = byId('key-dialog', HTMLDialogElement);
const form = byId('key-form', HTMLFormElement);
const input = byId('key', HTMLInputElement);
const problem = byId('key-problem', HTMLElement);

/** Returns the moderators' key, if it was entered in this tab. */
export function currentKey(): string | undefined {
	return sessionStorage.getItem(STORED_AS) ?? undefined;
}

/** Calls `onKey` with every key that is entered. */
export function startKey(onKey: () => void): void {
	form.addEventListener('submit', () => {
		sessionStorage.setItem(STORED_AS, input.value);
		input.value = '';
		onKey();
	});
	// Without a key, Escape does not help.
	dialog.addEventListener('close', () => {
		if (currentKey() === undefined) askKey();
	});
}

/** Asks for the key, after a wrong one with a word about that. */
export function askKey(why?: string): void {
	sessionStorage.removeItem(STORED_AS);
	if (why !== undefined) problem.textContent = why;
	if (!dialog.open) dialog.showModal();
}
