import { MAX_NAME_LENGTH } from '../protocol.ts';
import { byId } from './element.ts';
import { wear } from './looks.ts';

const STORED_AS = 'chat-name';

const dialog = byId('name-dialog', HTMLDialogElement);
const form = byId('name-form', HTMLFormElement);
const input = byId('name', HTMLInputElement);
const me = byId('me', HTMLButtonElement);

/** The name chosen in this tab; each tab may be somebody else. */
export function currentName(): string | undefined {
	return sessionStorage.getItem(STORED_AS) ?? undefined;
}

/** Asks for a name unless there is one, and again when the visitor wants another; calls back with each. */
export function startName(onChange: () => void): void {
	input.maxLength = MAX_NAME_LENGTH;
	input.value = localStorage.getItem(STORED_AS) ?? '';

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const name = input.value.trim();
		if (name === '') return;
		sessionStorage.setItem(STORED_AS, name);
		localStorage.setItem(STORED_AS, name);
		drawName(name);
		dialog.close();
		onChange();
	});
	// Escape leaves a name as it is, but there has to be one.
	dialog.addEventListener('close', () => {
		if (currentName() === undefined) askName();
	});
	me.addEventListener('click', askName);

	const name = currentName();
	if (name === undefined) askName();
	else drawName(name);
}

/** Shows the name as the server took it. */
export function drawName(name: string): void {
	byId('my-name', HTMLElement).textContent = name;
	wear(byId('my-avatar', HTMLElement), name);
	input.value = name;
}

function askName(): void {
	input.value = currentName() ?? input.value;
	dialog.showModal();
	input.select();
}
