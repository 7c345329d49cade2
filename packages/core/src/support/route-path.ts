/** Whether the path can match a request: Bun matches URL-encoded paths, and supports `*` only at the end. */
export function canMatch(path: string): boolean {
	return path.startsWith('/') && new URL(`http://host${path}`).pathname === path && !/\/\*./.test(path);
}

/** Whether the path matches exactly one request path: it has neither parameters nor `*`. */
export function isPlainPath(path: string): boolean {
	return canMatch(path) && !/\/[:*]/.test(path);
}
