import { expect, test } from 'vitest';
import { LIST_LIVES_MS, type NodeList } from '../messages.ts';
import { PeopleByNode } from './people-by-node.ts';

function list(node: string, ...names: string[]): NodeList {
	return { node: { id: `id of ${node}`, name: node }, people: names.map((name) => ({ id: `${node}/${name}`, name })) };
}

function namesOf(people: PeopleByNode): string[] {
	return people.people.map(({ name, node }) => `${name} on ${node}`);
}

test('merges the lists of several nodes, sorted by name', () => {
	const people = new PeopleByNode();
	people.hear(list('one', 'Grace', 'Ada'), 0);
	people.hear(list('two', 'Barbara'), 0);

	expect(namesOf(people)).toEqual(['Ada on one', 'Barbara on two', 'Grace on one']);
});

test('replaces the list of a node by its newer one', () => {
	const people = new PeopleByNode();
	people.hear(list('one', 'Ada', 'Grace'), 0);
	people.hear(list('one', 'Grace'), 1);

	expect(namesOf(people)).toEqual(['Grace on one']);
});

test('drops the list of a node that stopped sending it, and keeps the others', () => {
	const people = new PeopleByNode();
	people.hear(list('one', 'Ada'), 0);
	people.hear(list('two', 'Grace'), 1);

	expect(people.expire(LIST_LIVES_MS)).toBe(false);
	expect(people.expire(LIST_LIVES_MS + 1)).toBe(true);
	expect(namesOf(people)).toEqual(['Grace on two']);
});
