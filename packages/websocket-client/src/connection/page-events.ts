/** What a page tells of its surroundings; elsewhere there is nothing to hear. */
export interface PageEvents {
	/** The device says that it has no network any more. */
	offline(): void;
	/** It has one again, or the page can be seen again, or goes on after it was frozen. */
	worthATry(): void;
}

interface Page extends EventTarget {
	readonly document?: EventTarget & { readonly visibilityState?: string };
}

/** Listens until the function it returns is called. */
export function watchPageEvents({ offline, worthATry }: PageEvents): () => void {
	const page = globalThis as unknown as Page;
	const { document } = page;
	const visible = (): void => {
		if (document?.visibilityState === 'visible') worthATry();
	};
	const watched: [EventTarget | undefined, string, () => void][] = [
		[page, 'offline', offline],
		[page, 'online', worthATry],
		[page, 'pageshow', worthATry],
		[document, 'resume', worthATry],
		[document, 'visibilitychange', visible],
	];
	// Bun's and Node's global object is no event target of this kind.
	for (const [target, type, listener] of watched) target?.addEventListener?.(type, listener);
	return () => {
		for (const [target, type, listener] of watched) target?.removeEventListener?.(type, listener);
	};
}
