import { until } from '@orijs/testkit';
import type { LogDetails, Logger } from '@orijs/websocket';

interface Line {
	readonly level: keyof Logger;
	readonly message: string;
	readonly details: LogDetails | undefined;
}

/** A logger that records its lines. */
export class RecordingLogger implements Logger {
	readonly lines: Line[] = [];

	/** The lines logged at `error`, in order. */
	get errors(): readonly Line[] {
		return this.lines.filter(({ level }) => level === 'error');
	}

	/** Resolves once `count` errors have been logged. */
	untilErrors(count: number): Promise<void> {
		return until(() => this.errors.length >= count, { what: `${count} error(s) were logged` });
	}

	debug(message: string, details?: LogDetails): void {
		this.lines.push({ level: 'debug', message, details });
	}

	info(message: string, details?: LogDetails): void {
		this.lines.push({ level: 'info', message, details });
	}

	warn(message: string, details?: LogDetails): void {
		this.lines.push({ level: 'warn', message, details });
	}

	error(message: string, details?: LogDetails): void {
		this.lines.push({ level: 'error', message, details });
	}
}
