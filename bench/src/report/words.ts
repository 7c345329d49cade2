/** Formats a count, such as `1 socket` or `1,000 sockets`. */
export function count(number: number, thing: string): string {
	return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`;
}

/** Formats a size, such as `64 B` or `1 KiB`. */
export function size(bytes: number): string {
	return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
}
