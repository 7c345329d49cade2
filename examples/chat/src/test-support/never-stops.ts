/** A process whose stop takes for ever, for stop-on-signal.test.ts. */
import { stopOnSignal } from '../stop-on-signal.ts';

stopOnSignal(() => new Promise(() => {}));
setInterval(() => {}, 1_000);
console.log('up');
