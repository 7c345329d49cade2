const BRAND = Symbol.for('orijs.error');

/**
 * The base of errors that other packages recognise. `instanceof` accepts them from any copy of this package: two copies
 * in one process are normal, as npm nests one where version ranges differ, and bundlers rename classes.
 */
export abstract class BrandedError extends Error {
	/** Its name in every copy. A class without one of its own is recognised by its prototype, as usual. */
	static readonly brand: string | undefined = undefined;

	constructor(message: string, options?: ErrorOptions) {
		super(message, options);
		const { brand } = new.target;
		if (brand !== undefined) this.name = brand;
		Object.defineProperty(this, BRAND, { value: brand });
	}

	static override [Symbol.hasInstance](value: unknown): boolean {
		if (!Object.hasOwn(this, 'brand') || this.brand === undefined)
			return Function.prototype[Symbol.hasInstance].call(this, value);
		return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === this.brand;
	}
}
