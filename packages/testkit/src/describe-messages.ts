const SHOWN = 10;
const SHOWN_LENGTH = 120;

/** Describes the messages that a client has received, for use in an error message. Lists the last ten, shortened. */
export function describeMessages(messages: readonly (string | Uint8Array)[]): string {
	if (messages.length === 0) return 'nothing';
	const left = messages.length - SHOWN;
	const lines = messages.slice(-SHOWN).map((message) => `\n  ${describe(message)}`);
	return `${messages.length} message(s):${left > 0 ? `\n  … ${left} earlier` : ''}${lines.join('')}`;
}

function describe(message: string | Uint8Array): string {
	const text = typeof message === 'string' ? JSON.stringify(message) : `<${Buffer.from(message).toString('hex')}>`;
	return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}… (length ${message.length})`;
}
