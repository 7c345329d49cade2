/** A pattern for topics, in which `*` stands for any characters, or none. Takes at most topic times pattern steps, whatever they are. */
export class TopicPattern {
	readonly #first: string;
	readonly #middle: readonly string[];
	/** Undefined without a `*`. */
	readonly #last: string | undefined;

	constructor(pattern: string) {
		const [first = '', ...rest] = pattern.split(/\*+/);
		this.#first = first;
		this.#last = rest.pop();
		this.#middle = rest;
	}

	fits(topic: string): boolean {
		const first = this.#first;
		const last = this.#last;
		if (last === undefined) return topic === first;
		const end = topic.length - last.length;
		if (end < first.length || !topic.startsWith(first) || !topic.endsWith(last)) return false;
		let at = first.length;
		// The earliest place for each part leaves the most room for those after it.
		for (const part of this.#middle) {
			const found = topic.indexOf(part, at);
			if (found === -1 || found + part.length > end) return false;
			at = found + part.length;
		}
		return true;
	}
}
