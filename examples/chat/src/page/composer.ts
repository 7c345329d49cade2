import { MAX_TEXT_LENGTH } from '../messages.ts';
import { isVisible } from '../tidy.ts';
import { byId } from '@orijs/examples-shared/element';

const form = byId('composer', HTMLFormElement);
const input = byId('text', HTMLTextAreaElement);
const problem = byId('problem', HTMLElement);

export interface ComposerHandlers {
	/** Called with the text when the visitor sends it. */
	say(text: string): void;
	/** Called while the visitor is typing. */
	typing(): void;
}

export function startComposer({ say, typing }: ComposerHandlers): void {
	input.maxLength = MAX_TEXT_LENGTH;
	input.addEventListener('input', () => {
		showProblem('');
		if (input.value.trim() !== '') typing();
	});
	input.addEventListener('keydown', (event) => {
		// With an input method, Enter also confirms a composition.
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
		event.preventDefault();
		form.requestSubmit();
	});
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const text = input.value;
		if (isVisible(text)) {
			input.value = '';
			say(text.trim());
		}
		input.focus();
	});
	// Escape returns to the composer from anywhere.
	addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && !event.isComposing && document.querySelector('dialog[open]') === null) input.focus();
	});
	byId('skip', HTMLAnchorElement).addEventListener('click', (event) => {
		// Following the link would change the fragment of the address, which is the room.
		event.preventDefault();
		input.focus();
	});
}

/** Focuses the composer, except on phones, where this would open the keyboard. */
export function focusComposer(): void {
	if (!matchMedia('(pointer: coarse)').matches) input.focus();
}

/** Shows a sentence above the composer; an empty one removes it. */
export function showProblem(sentence: string): void {
	problem.textContent = sentence;
}
