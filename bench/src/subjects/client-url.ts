/** Returns the topics for which a client asks in its URL, as in `?topics=t0,t1`. */
export function topicsOf(url: string): string[] {
	const list = parameters(url).get('topics');
	return list === null ? [] : list.split(',');
}

/** Returns the number of past messages per topic for which a client asks in its URL, as in `?rewind=100`. Default 0. */
export function rewindOf(url: string): number {
	return Number(parameters(url).get('rewind') ?? 0);
}

function parameters(url: string): URLSearchParams {
	return new URL(url, 'http://localhost').searchParams;
}
