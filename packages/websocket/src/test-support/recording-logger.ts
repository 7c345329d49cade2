import type { LogDetails, Logger } from '../logger.ts';

export interface LogLine {
	readonly level: keyof Logger;
	readonly message: string;
	readonly details: LogDetails | undefined;
}

/** A logger that records its lines. */
export class RecordingLogger implements Logger {
	readonly lines: LogLine[] = [];

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

	/** The lines at `warn` and `error`. */
	get problems(): readonly LogLine[] {
		return this.lines.filter(({ level }) => level === 'warn' || level === 'error');
	}
}
