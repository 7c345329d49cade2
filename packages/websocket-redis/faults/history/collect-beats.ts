import { pick } from './random.ts';

/** The number of nodes above which beats are collected: always or never, by the seed. */
export const COLLECT_BEATS_ABOVE: number = pick([1, 32]);
