import type { Envelope } from './envelope.ts';
import type { MessagePosition } from './position.ts';

/** A message in a topic's history. */
export interface PositionedEnvelope extends Envelope {
	readonly topic: string;
	readonly position: MessagePosition;
}
