/** A program that the tests need, and that can be installed automatically. */
export interface Need {
	/** A clause that states that the program is missing, such as `redis-server is not on PATH`. */
	missing: string;
	/** What the user should do if it can't be installed automatically. */
	advice: string;
}

export interface Installer {
	/** Installs packages with apt-get. Ends the script if this fails. */
	apt(packages: readonly string[], action?: string): void;
	/** Runs `brew install`. Ends the script if this fails. */
	brew(args: readonly string[], action: string): void;
	/** Runs a command as root, as `apt` does. Ends the script if the command fails. */
	asRoot(command: readonly string[]): void;
	/** Prints why the program can't be installed and what to do instead, and ends the script. */
	refuse(reason: string): never;
}

const inherit = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

/** Returns an installer that announces what it installs, and shows the output of the system's package manager. */
export function installer({ missing, advice }: Need): Installer {
	return { apt, brew, asRoot, refuse };

	function apt(packages: readonly string[], action = `apt-get install ${packages.join(' ')}`): void {
		const prefix = rootPrefix();
		announce(action);
		const aptGet = [
			...prefix,
			'env',
			'DEBIAN_FRONTEND=noninteractive',
			'apt-get',
			'-qq',
			'-o',
			'DPkg::Lock::Timeout=120',
		];
		// `update` may fail, because the package may come from a source other than the one that can't be reached. Only
		// the installation must succeed.
		Bun.spawnSync([...aptGet, 'update'], inherit);
		run([...aptGet, 'install', '--yes', '--no-install-recommends', ...packages]);
	}

	function brew(args: readonly string[], action: string): void {
		announce(action);
		run(['brew', 'install', '--quiet', ...args]);
	}

	function asRoot(command: readonly string[]): void {
		run([...rootPrefix(), ...command]);
	}

	function rootPrefix(): string[] {
		const prefix = process.getuid?.() === 0 ? [] : ['sudo'];
		if (prefix.length > 0 && Bun.which('sudo') === null) refuse('Installing it needs root, and sudo is not available.');
		return prefix;
	}

	function announce(action: string): void {
		console.log(`${missing}. Installing it: ${action}`);
	}

	function run(command: string[]): void {
		if (!Bun.spawnSync(command, inherit).success) refuse(`This command failed: ${command.join(' ')}`);
	}

	function refuse(reason: string): never {
		console.error(`${missing}, and the tests need it. ${reason}`);
		console.error(advice);
		process.exit(1);
	}
}
