/** Whether the path can match a request: Bun matches URL-encoded paths, and supports `*` only at the end. */
export function canMatch(path: string): boolean {
	return path.startsWith('/') && new URL(`http://host${path}`).pathname === path && !/\/\*./.test(path);
}

/** Whether the path matches exactly one request path: it has neither parameters nor `*`. */
export function isPlainPath(path: string): boolean {
	return canMatch(path) && !/\/[:*]/.test(path);
}

/** Returns the path without its trailing slash, or with one. To Bun these are two routes; to clients, one endpoint. */
export function otherForm(path: string): string {
	if (path === '/' || path.endsWith('*')) return path;
	return path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
}

/** Returns the same text for all paths that match the same requests: the names of parameters make no difference. */
export function canonicalPath(path: string): string {
	const names = path.replaceAll(/\/:[^/]*/g, '/:');
	return names.endsWith('/') && names !== '/' ? names.slice(0, -1) : names;
}
