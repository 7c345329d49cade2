/** The fields of `INFO`, for example `{ redis_version: '7.0.15', role: 'master', … }`. */
export type RedisInfo = Readonly<Record<string, string>>;

/** Parses the reply to `INFO`, or to `CLUSTER INFO`, which has the same format. */
export function parseInfo(text: string): RedisInfo {
	const lines = text.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
	return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
