/** What current engines have; Node before version 25 and older browsers lack it. */
interface Native {
	toBase64?(): string;
	fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}

export function toBase64(bytes: Uint8Array): string {
	return (bytes as Native).toBase64?.() ?? btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Decodes base64. Accepts whitespace and a missing padding. @throws {Error} the text is not base64 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
	return (Uint8Array as Native).fromBase64?.(text) ?? Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
