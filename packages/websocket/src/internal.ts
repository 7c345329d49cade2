// Code that the packages of this repository share. Not public API: any release may change it without notice.

export { CallOrder } from './support/call-order.ts';
export { Listeners } from './support/listeners.ts';
export { quiet, rejected, settledWithin, toError, within } from './support/promises.ts';
export { type OptionNames, unknownOption } from './support/unknown-option.ts';
export { wallTime } from './support/wall-time.ts';
export { show } from './protocol/show.ts';
