/** Network-related events of a page. They never occur outside a page. */
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
	const watched: [EventTarget | undefined, string, () => void][] = [
		[page, 'offline', offline],
		[page, 'online', mayBeOnline],
		[page, 'pageshow', mayBeOnline],
		[document, 'resume', mayBeOnline],
		[document, 'visibilitychange', visible],
	];
	// The global objects of Bun and Node are not event targets for these events.
	for (const [target, type, listener] of watched) target?.addEventListener?.(type, listener);
	return () => {
		for (const [target, type, listener] of watched) target?.removeEventListener?.(type, listener);
	};
}
