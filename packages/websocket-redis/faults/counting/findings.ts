/** The violations of one kind: their number, and some examples, each as a sentence. */
export interface Findings {
	count: number;
	readonly examples: string[];
}

const EXAMPLES = 5;

export function noFindings(): Findings {
	return { count: 0, examples: [] };
}

/** Adds violations. One example may describe several. */
export function addFinding(findings: Findings, example: string, count = 1): void {
	findings.count += count;
	if (findings.examples.length < EXAMPLES) findings.examples.push(example);
}
