/**
 * Attacks a server process, one attack after the other, and prints what each cost: `bun run attack [name …] [--short]`.
 * Exits with 1 if a bound was exceeded.
 */
import { parseArgs } from 'node:util';
import type { Attack, Size } from './attack.ts';
import { ATTACKS } from './attacks/index.ts';
import { measure } from './measure.ts';
import { printHead, printResult } from './print.ts';

const { positionals, values } = parseArgs({
	allowPositionals: true,
	options: { short: { type: 'boolean', default: false } },
});
const size: Size = (full, short) => (values.short ? short : full);
const chosen = positionals.length === 0 ? ATTACKS : positionals.map(attackNamed);

printHead();
let failed = 0;
for (const attack of chosen) {
	const result = await measure(attack, size);
	printResult(attack, result);
	if (result.broken.length > 0) failed++;
}
console.log(`\n${chosen.length - failed} of ${chosen.length} attacks stayed within their bounds`);
process.exit(failed === 0 ? 0 : 1);

function attackNamed(name: string): Attack {
	const attack = ATTACKS.find((attack) => attack.name === name);
	if (attack !== undefined) return attack;
	console.error(`There is no attack ${name}. Attacks: ${ATTACKS.map(({ name }) => name).join(', ')}`);
	process.exit(2);
}
