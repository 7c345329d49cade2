/**
 * Matches topics against a pattern, in which `*` stands for any number of characters. To match a topic takes at most as
 * many steps as the product of its length and the pattern's.
 */
export class TopicPattern {
	readonly #first: string;
	readonly #middle: readonly string[];
	/** The text after the last `*`; undefined if the pattern has no `*`. */
	readonly #last: string | undefined;

	constructor(pattern: string) {
		const [first = '', ...rest] = pattern.split(/\*+/);
		this.#first = first;
		this.#last = rest.pop();
		this.#middle = rest;
	}

	matches(topic: string): boolean {
		const first = this.#first;
		const last = this.#last;
		if (last === undefined) return topic === first;
		const end = topic.length - last.length;
		if (end < first.length || !topic.startsWith(first) || !topic.endsWith(last)) return false;
		let at = first.length;
		// The earliest match of each part leaves the most room for the parts after it.
		for (const part of this.#middle) {
			const found = topic.indexOf(part, at);
			if (found === -1 || found + part.length > end) return false;
			at = found + part.length;
		}
		return true;
	}
}
