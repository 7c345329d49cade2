/** What a page says about its network; outside of pages there are no such events. */
export interface PageEvents {
	/** The device has lost its network. */
	offline(): void;
	/** The network is back, or the page is visible again, or was thawed. */
	mayBeOnline(): void;
}

interface Page extends EventTarget {
	readonly document?: EventTarget & { readonly visibilityState?: string };
}

/** Returns the undo. */
export function watchPageEvents({ offline, mayBeOnline }: PageEvents): () => void {
	const page = globalThis as unknown as Page;
	const { document } = page;
	const visible = (): void => {
		if (document?.visibilityState === 'visible') mayBeOnline();
	};
	const watched: [EventTarget | undefined, string, () => void][] = [
		[page, 'offline', offline],
		[page, 'online', mayBeOnline],
		[page, 'pageshow', mayBeOnline],
		[document, 'resume', mayBeOnline],
		[document, 'visibilitychange', visible],
	];
	// The global object of Bun and Node is not such an event target.
	for (const [target, type, listener] of watched) target?.addEventListener?.(type, listener);
	return () => {
		for (const [target, type, listener] of watched) target?.removeEventListener?.(type, listener);
	};
}
