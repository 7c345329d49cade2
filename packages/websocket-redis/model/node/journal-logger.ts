import type { Logger } from '@orijs/websocket';
import type { Journal } from '../record/journal.ts';
import { trueNow } from '../record/true-time.ts';
import type { NodeEntry } from './protocol.ts';

/** Writes warnings and errors to the journal. */
export function journalLogger(journal: Journal<NodeEntry>): Logger {
	const at =
		(level: string) =>
		(message: string, details?: object): void => {
			journal.add({ do: 'log', at: trueNow(), level, message, details: details && printable(details) });
		};
	return { debug() {}, info() {}, warn: at('warn'), error: at('error') };
}

function printable(details: object): unknown {
	const entries = Object.entries(details).map(([name, value]) => {
		if (!(value instanceof Error)) return [name, value] as const;
		const cause = value.cause instanceof Error ? `, because ${value.cause.message}` : '';
		return [name, `${value.name}: ${value.message}${cause}`] as const;
	});
	return Object.fromEntries(entries);
}
