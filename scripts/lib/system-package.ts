/** What the tests need of the system and can have installed. */
export interface Need {
	/** As a clause: `redis-server is not on PATH`. */
	missing: string;
	/** What somebody can do where nothing can be installed for them. */
	advice: string;
}

export interface Installer {
	/** Ends the script when it fails. */
	apt(packages: readonly string[], action?: string): void;
	/** Ends the script when it fails. */
	brew(args: readonly string[], action: string): void;
	/** Runs a command as root, where `apt` could. Ends the script when it fails. */
	asRoot(command: readonly string[]): void;
	/** Says why it can't be installed and what to do, and ends the script. */
	refuse(reason: string): never;
}

const inherit = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

/** Says what it installs before it does so, and shows what the system's package manager says. */
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
		// One source out of reach is no matter if the package comes from another, so only the installation has to succeed.
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
		if (prefix.length > 0 && Bun.which('sudo') === null) refuse('Installing it takes root, and sudo is not here.');
		return prefix;
	}

	function announce(action: string): void {
		console.log(`${missing}. Installing it: ${action}`);
	}

	function run(command: string[]): void {
		if (!Bun.spawnSync(command, inherit).success) refuse(`This failed: ${command.join(' ')}`);
	}

	function refuse(reason: string): never {
		console.error(`${missing}, and the tests need it. ${reason}`);
		console.error(advice);
		process.exit(1);
	}
}
