const BRAND = Symbol.for('orijs.error');

/**
 * The base class of errors that other packages recognize. `instanceof` accepts errors from any copy of this package: a
 * process may have several, because npm nests a second copy if version ranges differ. Bundlers rename classes, so the
 * class name does not identify an error either.
 */
export abstract class BrandedError extends Error {
	/** The name of the class in every copy. A subclass without a brand is recognized by its prototype, as usual. */
	declare static readonly brand: string | undefined;

	constructor(message: string, options?: ErrorOptions) {
		super(message, options);
		const { brand } = new.target;
		if (brand) this.name = brand;
		Object.defineProperty(this, BRAND, { value: brand });
	}

	static override [Symbol.hasInstance](value: unknown): boolean {
		return Object.hasOwn(this, 'brand')
			? (value as Record<symbol, unknown> | null | undefined)?.[BRAND] === this.brand
			: super[Symbol.hasInstance](value);
	}
}
