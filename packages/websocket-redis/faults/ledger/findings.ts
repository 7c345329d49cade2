/** Things that should not be: how many, and some of them, each as a sentence. */
export interface Findings {
	count: number;
	readonly examples: string[];
}

const EXAMPLES = 5;

export function noFindings(): Findings {
	return { count: 0, examples: [] };
}

/** One sentence may stand for several of them. */
export function find(findings: Findings, example: string, count = 1): void {
	findings.count += count;
	if (findings.examples.length < EXAMPLES) findings.examples.push(example);
}
