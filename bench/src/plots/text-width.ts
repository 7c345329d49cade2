type Weight = 'regular' | 'bold';

/** In ems, of DejaVu Sans: the widest of the usual system fonts, as an SVG cannot ask which one it gets. */
function emsOf(character: string): number {
	if (/[ ijltfrI.,:;'|!()[\]/·-]/.test(character)) return 0.4;
	if (/[mwMW%@]/.test(character)) return 0.97;
	if (/[A-Z≥≤×µ✕]/.test(character)) return 0.77;
	return 0.64;
}

export function textWidth(content: string, size: number, weight: Weight = 'regular'): number {
	const ems = Array.from(content, emsOf).reduce((sum, width) => sum + width, 0);
	return ems * size * (weight === 'bold' ? 1.12 : 1);
}

export function wrap(content: string, size: number, width: number, weight?: Weight): string[] {
	const lines: string[] = [];
	let current = '';
	for (const word of content.split(/\s+/)) {
		const longer = current === '' ? word : `${current} ${word}`;
		if (current !== '' && textWidth(longer, size, weight) > width) {
			lines.push(current);
			current = word;
		} else {
			current = longer;
		}
	}
	return [...lines, current];
}
