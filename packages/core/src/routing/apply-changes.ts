/**
 * Makes the changes to an object that were made to a shallow copy of it. What has changed in the object itself
 * meanwhile remains, unless the copy changed the same.
 *
 * @param before the copy as it was at first
 * @param after the copy as it is now
 */
export function applyChanges(object: object, before: object, after: object): void {
	const target = object as Record<PropertyKey, unknown>;
	const [old, changed] = [before as typeof target, after as typeof target];
	for (const key of Reflect.ownKeys(changed)) {
		if (!Object.hasOwn(old, key) || !Object.is(old[key], changed[key])) target[key] = changed[key];
	}
	for (const key of Reflect.ownKeys(old)) if (!Object.hasOwn(changed, key)) delete target[key];
}
