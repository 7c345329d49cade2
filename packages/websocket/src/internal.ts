// What the packages of this repository share. Not public API: it changes without notice, in any release.

export { CallOrder } from './support/call-order.ts';
export { Listeners } from './support/listeners.ts';
export { quiet, rejected, settledWithin, toError, within } from './support/promises.ts';
export { show } from './protocol/show.ts';
