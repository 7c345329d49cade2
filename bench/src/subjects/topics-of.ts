/** The topics that a client asks for in its URL: `?topics=t0,t1`. */
export function topicsOf(url: string): string[] {
	const list = new URL(url, 'http://localhost').searchParams.get('topics');
	return list === null ? [] : list.split(',');
}
