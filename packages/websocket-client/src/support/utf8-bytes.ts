/** Returns the size of a text in UTF-8, without encoding it. */
export function utf8Bytes(text: string): number {
	let bytes = text.length;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		// Each half of a surrogate pair has two of the character's four bytes.
		if (unit > 0x7f) bytes += unit > 0x7ff && unit >> 11 !== 0x1b ? 2 : 1;
	}
	return bytes;
}
