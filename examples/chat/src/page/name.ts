import { MAX_NAME_LENGTH } from '../messages.ts';
import { isVisible, tidy } from '../tidy.ts';
import { byId } from '@orijs/examples-shared/element';
import { wear } from './looks.ts';

const STORED_AS = 'chat-name';
const VISITOR_STORED_AS = 'chat-visitor';

const dialog = byId('name-dialog', HTMLDialogElement);
const form = byId('name-form', HTMLFormElement);
const input = byId('name', HTMLInputElement);
const me = byId('me', HTMLButtonElement);

/** Returns the name that is stored in this browser. */
export function currentName(): string | undefined {
	return localStorage.getItem(STORED_AS) ?? undefined;
}

/** Returns the id by which the server knows this browser again. */
export function visitorId(): string {
	const id = localStorage.getItem(VISITOR_STORED_AS) ?? crypto.randomUUID();
	localStorage.setItem(VISITOR_STORED_AS, id);
	return id;
}

/**
 * Asks for a name unless one is stored, and again when the visitor wants to change it. Calls `onName` with every name,
 * including a stored one.
 */
export function startName(onName: (name: string) => void): void {
	input.maxLength = MAX_NAME_LENGTH;
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const name = tidy(input.value).replaceAll(/\s+/g, ' ');
		input.setCustomValidity(isVisible(name) ? '' : 'A name must have at least one visible character.');
		if (!input.reportValidity()) return;
		localStorage.setItem(STORED_AS, name);
		drawName(name);
		dialog.close();
		onName(name);
	});
	input.addEventListener('input', () => input.setCustomValidity(''));
	// Escape keeps the current name. If there is no name yet, the dialog opens again.
	dialog.addEventListener('close', () => {
		if (currentName() === undefined) askName();
	});
	me.addEventListener('click', askName);

	const name = currentName();
	if (name === undefined) return askName();
	drawName(name);
	onName(name);
}

function drawName(name: string): void {
	byId('my-name', HTMLElement).textContent = name;
	wear(byId('my-avatar', HTMLElement), name);
}

function askName(): void {
	input.value = currentName() ?? '';
	dialog.showModal();
	input.select();
}
