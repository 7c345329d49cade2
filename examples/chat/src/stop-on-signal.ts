/**
 * One Ctrl-C can arrive several times: from the terminal, and passed on by each `bun run` in between. What comes within this
 * many milliseconds is one signal.
 */
const SAME_SIGNAL_MS = 300;

/**
 * On SIGINT (Ctrl-C), SIGTERM, or the end of the process that started us: stops, and exits with 0. On a second signal exits
 * with 1 at once.
 */
export function stopOnSignal(stop: () => Promise<unknown>): void {
	let askedAt: number | undefined;

	const onSignal = (): void => {
		if (askedAt === undefined) {
			askedAt = performance.now();
			void stopAndExit(stop);
		} else if (performance.now() - askedAt > SAME_SIGNAL_MS) {
			console.log('Stopped by force.');
			process.exit(1);
		}
	};
	process.on('SIGINT', onSignal);
	process.on('SIGTERM', onSignal);
	process.on('disconnect', onSignal);
}

async function stopAndExit(stop: () => Promise<unknown>): Promise<void> {
	console.log('Stopping. Once more forces it.');
	try {
		await stop();
		console.log('Stopped.');
		process.exit(0);
	} catch (error) {
		console.error(error);
		process.exit(1);
	}
}
