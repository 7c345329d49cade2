export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Children are markup; what is text has to come from `text`, which escapes it. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
	const written = Object.entries(attributes)
		.filter(([, value]) => value !== undefined)
		.map(([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escape(value ?? '')}"`)
		.join('');
	if (children.length === 0) return `<${name}${written}/>`;
	return [`<${name}${written}>`, ...children, `</${name}>`].join('\n');
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
	return leaf('text', { x, y, ...attributes }, content);
}

/** An element that holds nothing but text. */
export function leaf(name: string, attributes: Attributes, content: string): string {
	return element(name, attributes, escape(content)).replaceAll('\n', '');
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
	return element('line', { x1, y1, x2, y2, ...attributes });
}

export function path(points: readonly (readonly [number, number])[], attributes: Attributes): string {
	const d = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`).join(' ');
	return element('path', { d, ...attributes });
}

/** Tenths of a pixel, so that a file changes only where the picture does. */
function coordinate(value: number): string {
	return String(Math.round(value * 10) / 10 + 0);
}

function escape(content: string): string {
	return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
