import { MAX_TEXT_LENGTH } from '../messages.ts';
import { isVisible } from '../tidy.ts';
import { byId } from '@orijs/examples-shared/element';

const form = byId('composer', HTMLFormElement);
const input = byId('text', HTMLTextAreaElement);
const problem = byId('problem', HTMLElement);

export interface ComposerHandlers {
	/** Hears what the visitor has written, when it is to be said. */
	say(text: string): void;
	/** The visitor is writing. */
	typing(): void;
}

export function startComposer({ say, typing }: ComposerHandlers): void {
	input.maxLength = MAX_TEXT_LENGTH;
	input.addEventListener('input', () => {
		showProblem('');
		if (input.value.trim() !== '') typing();
	});
	input.addEventListener('keydown', (event) => {
		// Enter also ends what an input method composes.
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
	// From wherever one is, back to where one writes.
	addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && !event.isComposing && document.querySelector('dialog[open]') === null) input.focus();
	});
	byId('skip', HTMLAnchorElement).addEventListener('click', (event) => {
		// The address is the room's.
		event.preventDefault();
		input.focus();
	});
}

/** Not on a phone, where it would bring up the keyboard. */
export function focusComposer(): void {
	if (!matchMedia('(pointer: coarse)').matches) input.focus();
}

/** A sentence above the composer, where there is always room for it; an empty one takes it away. */
export function showProblem(sentence: string): void {
	problem.textContent = sentence;
}
