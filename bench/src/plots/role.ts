/** What a subject is in a comparison. */
export type Role = 'own' | 'baseline' | 'peer';

export function roleOf(subject: string, baseline: string): Role {
	if (subject === baseline) return 'baseline';
	return subject.startsWith('orijs') ? 'own' : 'peer';
}
