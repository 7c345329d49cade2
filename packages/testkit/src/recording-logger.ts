import { until } from './until.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';
type Details = Readonly<Record<string, unknown>>;

export interface LogLine {
	readonly level: Level;
	readonly message: string;
	readonly details: Details | undefined;
}

/** A logger that records all lines. */
export class RecordingLogger {
	readonly lines: LogLine[] = [];

	/** The lines logged at `error`, in order. */
	get errors(): readonly LogLine[] {
		return this.lines.filter(({ level }) => level === 'error');
	}

	/** The lines logged at `warn` and `error`, in order. */
	get problems(): readonly LogLine[] {
		return this.lines.filter(({ level }) => level === 'warn' || level === 'error');
	}

	/** Resolves once `count` errors have been logged. */
	untilErrors(count: number): Promise<void> {
		return until(() => this.errors.length >= count, { what: `${count} error(s) were logged` });
	}

	debug(message: string, details?: Details): void {
		this.lines.push({ level: 'debug', message, details });
	}

	info(message: string, details?: Details): void {
		this.lines.push({ level: 'info', message, details });
	}

	warn(message: string, details?: Details): void {
		this.lines.push({ level: 'warn', message, details });
	}

	error(message: string, details?: Details): void {
		this.lines.push({ level: 'error', message, details });
	}
}
