interface Page extends Partial<EventTarget> {
	readonly document?: { readonly visibilityState?: string };
}

/**
 * Listens to the page's network-related events, which never occur in Bun or Node, until the signal is aborted.
 *
 * @param offline called when the device has lost its network
 * @param mayBeOnline called when the network is back, or the page becomes visible or is unfrozen
 */
export function watchPageEvents(offline: () => void, mayBeOnline: () => void, signal: AbortSignal): void {
	const visibilitychange = (): void => {
		if ((globalThis as Page).document?.visibilityState === 'visible') mayBeOnline();
	};
	listen({ offline, online: mayBeOnline, pageshow: mayBeOnline, resume: mayBeOnline, visibilitychange }, signal);
}

/**
 * Calls `listener` when the page may be about to end, until the signal is aborted: it was left or hidden. Hidden pages
 * may be ended without another event.
 */
export function watchPageEnd(listener: () => void, signal: AbortSignal): void {
	listen({ pagehide: listener, visibilitychange: listener }, signal);
}

/** Outside a page, the global object may not be an event target. */
function listen(listeners: Readonly<Record<string, () => void>>, signal: AbortSignal): void {
	// `capture`, because some of the events occur at the document, and may not bubble.
	const options = { capture: true, signal };
	for (const type in listeners) (globalThis as Page).addEventListener?.(type, listeners[type] as () => void, options);
}
