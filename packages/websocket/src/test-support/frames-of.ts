/** Returns frames in a short form: of a notice, its topics, as in `{ subscribed: ['a'] }`; of a message, its text. */
export function framesOf(
	frames: readonly (string | Uint8Array)[],
): readonly (string | Record<string, readonly string[]>)[] {
	return frames.map((frame) => {
		const text = String(frame);
		if (!text.startsWith('{')) return text;
		const { type, data } = JSON.parse(text) as { type?: string; data: unknown };
		if (type === undefined) return String(data);
		const { topics } = data as { topics: readonly (string | { readonly topic: string })[] };
		return { [type.slice(1)]: topics.map((each) => (typeof each === 'string' ? each : each.topic)) };
	});
}
