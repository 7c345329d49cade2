import type { BusHandlers } from '../bus.ts';

/** Handlers for a bus whose events a test does not look at. */
export const silentHandlers: BusHandlers = {
	deliver() {},
	appended() {},
	status() {},
	interrupted() {},
	refused() {},
	undelivered() {},
	error() {},
};
