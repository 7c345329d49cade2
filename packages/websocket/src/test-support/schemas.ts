import type { StandardSchemaV1 } from '@standard-schema/spec';

/** Turns a function that returns a value or issues into a Standard Schema. */
export function schema<TInput, TOutput = TInput>(
	parse: (value: unknown) => StandardSchemaV1.Result<TOutput> | Promise<StandardSchemaV1.Result<TOutput>>,
): StandardSchemaV1<TInput, TOutput> {
	return { '~standard': { version: 1, vendor: 'test', validate: parse } };
}

export interface Order {
	readonly id: string;
	readonly items: readonly { readonly price: number }[];
}

/** Reports every fault with its path. */
export const orderSchema: StandardSchemaV1<Order> = schema<Order>((value) => {
	const issues: StandardSchemaV1.Issue[] = [];
	const order = (typeof value === 'object' && value !== null ? value : {}) as Partial<Order>;
	if (value !== order) issues.push({ message: 'must be an object' });
	if (typeof order.id !== 'string') issues.push({ message: 'must be a string', path: ['id'] });
	for (const [i, item] of (order.items ?? []).entries()) {
		// A path segment may be a key or an object with a key: this path has both.
		if (typeof item.price !== 'number')
			issues.push({ message: 'must be a number', path: ['items', { key: i }, 'price'] });
	}
	return issues.length > 0 ? { issues } : { value: order as Order };
});

/** An asynchronous version of `orderSchema`. */
export const lateOrderSchema: StandardSchemaV1<Order> = schema<Order>(async (value) => {
	await Promise.resolve();
	return orderSchema['~standard'].validate(value);
});

/** Parses a string as a number. */
export const numberFromText: StandardSchemaV1<string, number> = schema<string, number>((value) =>
	typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))
		? { value: Number(value) }
		: { issues: [{ message: 'must be text that contains a number' }] },
);
