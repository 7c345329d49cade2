/** How far frames may overtake each other, in numbers. Few do: only when channels move between connections. */
const SIZE = 256;

/** Recognizes numbers that have occurred before. They grow, and may change places within {@link SIZE}. */
export class ReplayWindow {
	/** Each number is at the index that is its remainder. */
	readonly #numbers = new Float64Array(SIZE);
	#highest = 0;

	/** Returns whether the number, from 1, is a new one, and remembers it. */
	take(number: number): boolean {
		if (number <= this.#highest - SIZE || this.#numbers[number % SIZE] === number) return false;
		this.#numbers[number % SIZE] = number;
		this.#highest = Math.max(this.#highest, number);
		return true;
	}
}
