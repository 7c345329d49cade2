import { SocketRequestError } from '@orijs/websocket/protocol';
import { MAX_TEXT_LENGTH } from '../messages.ts';
import { byId } from '@orijs/examples-shared/element';

const form = byId('post', HTMLFormElement);
const text = byId('text', HTMLTextAreaElement);
const problem = byId('problem', HTMLElement);

/** Sets up the box. It calls `post` with the text, and keeps the text until `post` has resolved. */
export function startPostBox(post: (text: string) => Promise<unknown>): void {
	text.maxLength = MAX_TEXT_LENGTH;
	text.addEventListener('input', () => showProblem(''));
	text.addEventListener('keydown', (event) => {
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
		event.preventDefault();
		form.requestSubmit();
	});
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const written = text.value;
		if (written.trim() === '') return;
		showProblem('');
		post(written).then(
			() => {
				if (text.value === written) text.value = '';
			},
			(error: unknown) => showProblem(reasonOf(error)),
		);
	});
}

export function focusPostBox(): void {
	// Phones are excluded, because focusing the box would open the keyboard.
	if (matchMedia('(hover: hover)').matches) text.focus();
}

/** Shows a sentence below the box; an empty one removes it. */
export function showProblem(sentence: string): void {
	problem.textContent = sentence;
}

/** Explains an error to the user. */
export function reasonOf(error: unknown): string {
	const code = error instanceof SocketRequestError ? error.code : undefined;
	switch (code) {
		case 'disconnected':
			return 'Not connected right now. Try again in a moment.';
		case 'timeout':
			return 'The server did not answer in time. It may still have done what you asked.';
		case 'rate_limited':
			return 'That was too fast. Try again in a moment.';
		case 'no_such_note':
			return 'That note is already gone.';
		case 'forbidden':
			return 'You may not do that.';
		default:
			return 'That did not work. Try again.';
	}
}
