/** Returns the page's element with this id. */
export function byId<T extends HTMLElement>(id: string, kind: { new (): T }): T {
	const element = document.getElementById(id);
	if (element instanceof kind) return element;
	throw new Error(`index.html has no ${kind.name} #${id}`);
}

/** Creates an element. Strings are added as text, so text from users can't become markup. */
export function make<TTag extends keyof HTMLElementTagNameMap>(
	tag: TTag,
	className: string,
	...children: (Node | string)[]
): HTMLElementTagNameMap[TTag] {
	const element = document.createElement(tag);
	element.className = className;
	element.append(...children);
	return element;
}
