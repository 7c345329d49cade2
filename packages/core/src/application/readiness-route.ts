const HEADERS = { 'cache-control': 'no-store' };

/** Creates the handler of the readiness route: 200 while `isReady`, 503 afterwards. */
export function readinessRoute(isReady: () => boolean): () => Response {
	return () =>
		isReady()
			? new Response('ready', { headers: HEADERS })
			: new Response('stopping', { status: 503, headers: HEADERS });
}
