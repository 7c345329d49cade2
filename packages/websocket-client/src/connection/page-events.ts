/** Network-related events of a page. They never occur in Bun or Node. */
export interface PageEvents {
	/** Called when the device has lost its network. */
	offline(): void;
	/** Called when the network is back, or the page becomes visible or is unfrozen. */
	mayBeOnline(): void;
}

interface Page extends EventTarget {
	readonly document?: EventTarget & { readonly visibilityState?: string };
}

/** Listens to the page's events. Returns a function that stops listening. */
export function watchPageEvents({ offline, mayBeOnline }: PageEvents): () => void {
	const page = globalThis as unknown as Page;
	const { document } = page;
	const visible = (): void => {
		if (document?.visibilityState === 'visible') mayBeOnline();
	};
	return listen(
		[page, 'offline', offline],
		[page, 'online', mayBeOnline],
		[page, 'pageshow', mayBeOnline],
		[document, 'resume', mayBeOnline],
		[document, 'visibilitychange', visible],
	);
}

/**
 * Calls `listener` when the page may be about to end: it was left or hidden. Hidden pages may be ended without another
 * event. Returns a function that stops listening.
 */
export function watchPageEnd(listener: () => void): () => void {
	const page = globalThis as unknown as Page;
	return listen([page, 'pagehide', listener], [page, 'visibilitychange', listener]);
}

/** Outside a page, there is no document, and the global object may not be an event target. */
function listen(...watched: readonly [EventTarget | undefined, string, () => void][]): () => void {
	for (const [target, type, listener] of watched) target?.addEventListener?.(type, listener);
	return () => {
		for (const [target, type, listener] of watched) target?.removeEventListener?.(type, listener);
	};
}
