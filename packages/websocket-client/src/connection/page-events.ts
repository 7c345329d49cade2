interface Page extends Partial<EventTarget> {
	readonly document?: { readonly visibilityState?: string };
}

/**
 * Listens to the page's network-related events, which never occur in Bun or Node. Returns a function that stops
 * listening.
 *
 * @param offline called when the device has lost its network
 * @param mayBeOnline called when the network is back, or the page becomes visible or is unfrozen
 */
export function watchPageEvents(offline: () => void, mayBeOnline: () => void): () => void {
	return listen({
		offline,
		online: mayBeOnline,
		pageshow: mayBeOnline,
		resume: mayBeOnline,
		visibilitychange: () => {
			if ((globalThis as Page).document?.visibilityState === 'visible') mayBeOnline();
		},
	});
}

/**
 * Calls `listener` when the page may be about to end: it was left or hidden. Hidden pages may be ended without another
 * event. Returns a function that stops listening.
 */
export function watchPageEnd(listener: () => void): () => void {
	return listen({ pagehide: listener, visibilitychange: listener });
}

/** Outside a page, the global object may not be an event target. */
function listen(listeners: Readonly<Record<string, () => void>>): () => void {
	const page = globalThis as Page;
	const each = (method: 'addEventListener' | 'removeEventListener'): void => {
		// `true`, because some of the events occur at the document, and may not bubble.
		for (const type in listeners) page[method]?.(type, listeners[type] as () => void, true);
	};
	each('addEventListener');
	return () => each('removeEventListener');
}
