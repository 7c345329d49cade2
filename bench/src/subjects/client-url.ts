/** The topics a client asks for in its URL: `?topics=t0,t1`. */
export function topicsOf(url: string): string[] {
	const list = parameters(url).get('topics');
	return list === null ? [] : list.split(',');
}

/** How many past messages of each topic it asks for: `?rewind=100`; default 0. */
export function rewindOf(url: string): number {
	return Number(parameters(url).get('rewind') ?? 0);
}

function parameters(url: string): URLSearchParams {
	return new URL(url, 'http://localhost').searchParams;
}
