import { expect, it } from 'vitest';
import { DepartedSockets } from './departed-sockets.ts';

it('remembers the sockets that left most recently, not all that ever left', () => {
	const departed = new DepartedSockets();
	const ids = Array.from({ length: 10_000 }, (_, i) => `socket ${i}`);
	for (const id of ids) departed.add(id);
	const remembered = ids.filter((id) => departed.has(id));

	expect(remembered).toEqual(ids.slice(-remembered.length));
	expect(remembered.length).toBeGreaterThanOrEqual(2_048);
	expect(remembered.length).toBeLessThanOrEqual(4_096);
});
