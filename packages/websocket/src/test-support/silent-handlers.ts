import type { BusHandlers } from '../bus.ts';

/** Handlers that do nothing, for tests that ignore the events of a bus. */
export const silentHandlers: BusHandlers = {
	deliver() {},
	appended() {},
	status() {},
	interrupted() {},
	refused() {},
	undelivered() {},
	replaced() {},
	error() {},
};
