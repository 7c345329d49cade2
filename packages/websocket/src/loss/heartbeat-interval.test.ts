import { expect, it } from 'vitest';
import { InvalidOptionError } from '../errors.ts';
import { MemoryBackend } from '../testing/index.ts';
import { WsProvider } from '../ws-provider.ts';

const withInterval = (heartbeatMs: number) => () =>
	new WsProvider({ bus: new MemoryBackend().createBus(), heartbeatMs });

it.each([49, 1_001, Number.NaN])('%d ms between heartbeats are refused: nodes would seem silent', (heartbeatMs) => {
	expect(withInterval(heartbeatMs)).toThrow(InvalidOptionError);
	expect(withInterval(heartbeatMs)).toThrow('heartbeatMs must be a number of milliseconds from 50 to 1000, not ');
});

it.each([50, 1_000])('%d ms between heartbeats are allowed', (heartbeatMs) => {
	expect(withInterval(heartbeatMs)).not.toThrow();
});
