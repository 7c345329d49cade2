/** Whether the process runs under `bun --hot`, which evaluates all modules again after an edit, in the same process. */
export const IS_HOT: boolean = process.execArgv.includes('--hot');

/**
 * Returns state of the process. Under `bun --hot`, all evaluations of this package share it; copies of the package do
 * not. Otherwise, this only calls `create`.
 */
export function acrossReloads<TState>(name: string, create: () => TState): TState {
	if (!IS_HOT) return create();
	const shared = globalThis as unknown as Record<symbol, TState | undefined>;
	const key = Symbol.for(`@orijs/core ${name} ${import.meta.url}`);
	return (shared[key] ??= create());
}
