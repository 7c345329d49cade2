import { expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';

it('an unknown option is rejected, and the error lists the valid ones', () => {
	expect(() => new Application({ grace: 1 } as object)).toThrow(
		new ApplicationError(
			'new Application(): there is no option grace; options are logger, signals, graceMs, readinessPath, readinessDelayMs',
		),
	);
});

it.each([['/readyz'], [null], [[]]])('options that are no object are rejected: %j', (options) => {
	expect(() => new Application(options as never)).toThrow(ApplicationError);
	expect(() => new Application(options as never)).toThrow(
		/^new Application\(\): pass an object with logger, signals, graceMs, readinessPath, readinessDelayMs, not ("\/readyz"|null|\[…\])$/,
	);
});

it('an incomplete logger is rejected, and the error says what is missing', () => {
	expect(() => new Application({ logger: { info() {}, warn() {}, error() {} } as never })).toThrow(
		new ApplicationError('logger must have the methods debug, info, warn, error; debug is missing'),
	);
	expect(() => new Application({ logger: null as never })).toThrow(ApplicationError);
});
