import { expect, test } from 'vitest';
import { describeEpochs, describeRoles, haveCollision, newest, ownerOf, parseView } from './cluster-view.ts';

const VIEW = parseView(`a1 127.0.0.1:20001@30001 myself,master - 0 0 7 connected 0-99 101 [100->-b2] [200-<-b2]
b2 127.0.0.1:20002@30002,host.example slave,fail? a1 1700000000000 1700000000001 7 disconnected
c3 127.0.0.1:20003@30003 master - 0 1 3 connected 102-16383
`);

test('reads ports, flags, primaries, epochs and slots', () => {
	expect(VIEW.map(({ id, port, busPort }) => [id, port, busPort])).toEqual([
		['a1', 20_001, 30_001],
		['b2', 20_002, 30_002],
		['c3', 20_003, 30_003],
	]);
	expect(VIEW.map(({ flags }) => [...flags])).toEqual([['myself', 'master'], ['slave', 'fail?'], ['master']]);
	expect(VIEW.map(({ primaryId }) => primaryId)).toEqual([undefined, 'a1', undefined]);
	expect(VIEW.map(({ connected }) => connected)).toEqual([true, false, true]);
	expect(VIEW[0]?.slots).toEqual([
		[0, 99],
		[101, 101],
	]);
});

test('finds the owner of a slot, and none for an unassigned slot', () => {
	expect(ownerOf(VIEW, 101)?.id).toBe('a1');
	expect(ownerOf(VIEW, 102)?.id).toBe('c3');
	expect(ownerOf(VIEW, 100)).toBe(undefined);
	expect(describeRoles(VIEW, ['c3', 'b2', 'a1'])).toBe(
		'20001: 0,99 101,101; 20002: replica of 20001; 20003: 102,16383',
	);
	expect(describeRoles(VIEW, ['b2'])).toBe('20002: replica of 20001');
});

test('finds the newest view by its highest epoch', () => {
	const older = VIEW.map((node) => ({ ...node, epoch: node.epoch - 1 }));

	expect(newest([older, VIEW, older])).toBe(VIEW);
	expect(newest([])).toBe(undefined);
});

test('describes the epochs of primaries, and detects two that are equal', () => {
	expect(describeEpochs(VIEW, ['c3', 'b2', 'a1'])).toBe('20001: 7; 20003: 3');
	expect(describeEpochs(VIEW, ['c3'])).toBe('20003: 3');
	// A replica reports its primary's epoch, which is not a collision.
	expect(haveCollision(VIEW)).toBe(false);
	expect(haveCollision(VIEW.map((node) => ({ ...node, epoch: 7 })))).toBe(true);
});
