/** What `fn` returns or resolves with, unless it takes longer than that. @throws what it throws, or an error that says how long */
export async function within<T>(ms: number, what: string, fn: () => T): Promise<Awaited<T>> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
	});
	try {
		return await Promise.race([fn(), late]);
	} finally {
		clearTimeout(timer);
	}
}
