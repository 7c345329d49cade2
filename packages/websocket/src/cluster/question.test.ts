import { describe, expect, it } from 'vitest';
import { type Outcome, Question, type QuestionOptions } from './question.ts';

const SELF = 'self';

interface Asked {
	readonly question: Question<number>;
	/** What came of it, once it is done. */
	outcome: Outcome<number> | undefined;
}

function ask(expected: readonly string[], options: Partial<QuestionOptions<number>> = {}): Asked {
	const asked: { question: Question<number>; outcome: Outcome<number> | undefined } = {
		outcome: undefined,
		question: new Question<number>({
			self: SELF,
			expected,
			silent: [],
			uncounted: 0,
			isToUnknown: true,
			timeoutMs: 10_000,
			onDone: (outcome) => void (asked.outcome = outcome),
			...options,
		}),
	};
	return asked;
}

async function passed(ms: number): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('a question', () => {
	it('is done when it was sent and all expected nodes have answered', () => {
		const asked = ask([SELF, 'a', 'b']);
		asked.question.answer(SELF, 1);
		asked.question.answer('a', 2);
		asked.question.answer('b', 3);
		expect(asked.outcome).toBeUndefined();
		asked.question.sent(3);

		expect(asked.outcome).toEqual({
			nodes: 3,
			answers: new Map([
				[SELF, 1],
				['a', 2],
				['b', 3],
			]),
			unanswered: [],
		});
	});

	it('waits for as many nodes as have received it, also for unknown ones', () => {
		const asked = ask([SELF]);
		asked.question.sent(3);
		asked.question.answer(SELF, 1);
		asked.question.answer('x', 2);
		expect(asked.outcome).toBeUndefined();
		asked.question.answer('y', 3);

		expect([asked.outcome?.nodes, asked.outcome?.answers.size]).toEqual([3, 3]);
	});

	it('does not look as if all had answered while it is unknown who has received it', async () => {
		const [unsent, sending] = [ask([SELF]), ask([SELF], { timeoutMs: 20 })];
		unsent.question.unsent();
		for (const { question } of [unsent, sending]) question.answer(SELF, 1);
		await passed(60);
		for (const { outcome } of [unsent, sending])
			expect([outcome?.nodes, outcome?.answers.size, outcome?.unanswered]).toEqual([2, 1, []]);

		const toOne = ask([SELF], { isToUnknown: false });
		toOne.question.answer(SELF, 1);
		toOne.question.unsent();
		expect(toOne.outcome?.nodes).toBe(1);
	});

	it('does not count this node among those if it is not asked', () => {
		const asked = ask([], { uncounted: 1 });
		asked.question.sent(2);
		expect(asked.outcome).toBeUndefined();
		asked.question.answer('x', 2);

		expect(asked.outcome?.nodes).toBe(1);
		const nobody = ask([], { uncounted: 1 });
		nobody.question.sent(1);
		expect(nobody.outcome?.nodes).toBe(0);
	});

	it('names those that have not answered when the time is over, and counts unknown ones', async () => {
		const asked = ask([SELF, 'a'], { timeoutMs: 20 });
		asked.question.sent(3);
		asked.question.answer(SELF, 1);
		await passed(60);

		expect(asked.outcome).toEqual({ nodes: 3, answers: new Map([[SELF, 1]]), unanswered: ['a'] });
	});

	it('ends in time even if it is never sent, and ignores what comes later', async () => {
		const asked = ask([SELF, 'a'], { timeoutMs: 20 });
		await passed(60);
		const { outcome } = asked;
		expect(outcome?.unanswered).toEqual([SELF, 'a']);
		const { question } = asked;
		question.sent(9);
		question.answer('a', 1);
		question.failed(SELF);
		question.silent('a');
		question.stopped('a');
		question.unsent();
		question.finish();

		expect(asked.outcome).toBe(outcome);
		expect(outcome?.answers.size).toBe(0);
	});

	it('does not wait for silent nodes, but takes their answers', () => {
		const asked = ask([SELF], { silent: ['a', 'b'] });
		asked.question.answer('a', 2);
		asked.question.sent(2);
		asked.question.answer(SELF, 1);

		expect(asked.outcome).toMatchObject({ nodes: 3, unanswered: ['b'] });
	});

	it('waits a little for nodes that have received it and are unknown', async () => {
		const asked = ask([SELF, 'a']);
		asked.question.sent(3);
		asked.question.answer(SELF, 1);
		asked.question.silent('a');
		expect(asked.outcome).toBeUndefined();
		asked.question.answer('x', 2);
		await passed(1_200);

		expect(asked.outcome).toMatchObject({ nodes: 3, unanswered: ['a'] });
		const ghost = ask([SELF]);
		ghost.question.answer(SELF, 1);
		ghost.question.sent(2);
		await passed(1_200);
		expect(ghost.outcome).toEqual({ nodes: 2, answers: new Map([[SELF, 1]]), unanswered: [] });
	});

	it('waits for nodes that become known meanwhile, or are back, as long as some are missing', async () => {
		const asked = ask([SELF, 'a'], { silent: ['b'], timeoutMs: 1_500 });
		asked.question.joined('c');
		asked.question.sent(4);
		asked.question.answer(SELF, 1);
		asked.question.answer('a', 1);
		asked.question.joined('b');
		asked.question.joined('a');
		await passed(1_200);
		expect(asked.outcome).toBeUndefined();
		asked.question.answer('b', 1);
		await passed(400);

		expect(asked.outcome).toMatchObject({ nodes: 4, unanswered: ['c'] });
		const complete = ask([SELF]);
		complete.question.joined('late');
		complete.question.answer(SELF, 1);
		complete.question.sent(1);
		expect(complete.outcome).toMatchObject({ nodes: 1, unanswered: [] });
	});

	it('no longer expects nodes that have stopped', () => {
		const asked = ask([SELF, 'a', 'b']);
		asked.question.sent(3);
		asked.question.answer(SELF, 1);
		asked.question.answer('a', 1);
		asked.question.stopped('a');
		asked.question.stopped('b');

		expect(asked.outcome).toMatchObject({ nodes: 2, unanswered: [] });
		expect(asked.outcome?.answers.size).toBe(2);
	});

	it('that was not sent waits only for this node', () => {
		const asked = ask([SELF, 'a', 'b']);
		asked.question.unsent();
		expect(asked.outcome).toBeUndefined();
		asked.question.answer(SELF, 1);

		expect(asked.outcome).toMatchObject({ nodes: 3, unanswered: ['a', 'b'] });
	});

	it('that was not sent says that there may be nodes that are not known', () => {
		const asked = ask([SELF]);
		asked.question.unsent();
		asked.question.answer(SELF, 1);
		expect(asked.outcome).toEqual({ nodes: 2, answers: new Map([[SELF, 1]]), unanswered: [] });

		const stopped = ask([SELF]);
		stopped.question.unsent();
		stopped.question.finish();
		expect(stopped.outcome).toEqual({ nodes: 2, answers: new Map(), unanswered: [SELF] });

		const pending = ask([SELF]);
		pending.question.answer(SELF, 1);
		pending.question.finish();
		expect(pending.outcome?.nodes).toBe(2);
		const toOne = ask([SELF], { isToUnknown: false });
		toOne.question.answer(SELF, 1);
		toOne.question.finish();
		expect(toOne.outcome?.nodes).toBe(1);
	});

	it('names nodes that can not say what they have done, and does not wait for them', () => {
		const asked = ask([SELF, 'a']);
		asked.question.sent(2);
		asked.question.failed('a');
		asked.question.answer(SELF, 1);
		asked.question.answer('a', 5);

		expect(asked.outcome).toMatchObject({ nodes: 2, unanswered: ['a'] });
		expect(asked.outcome?.answers.size).toBe(1);
	});
});
