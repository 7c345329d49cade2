/** The tests start real Redis servers: makes sure `redis-server` is on PATH, and installs it where it can. */

const inherit = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

if (Bun.which('redis-server') === null) {
	if (Bun.which('apt-get') !== null) installWithApt();
	else if (Bun.which('brew') !== null) installWithBrew();
	else refuse('Neither apt-get nor brew is here to install it.');
	if (Bun.which('redis-server') === null) refuse('It was installed to a folder that is not on PATH.');
}

/**
 * The Debian and Ubuntu package `redis-tools` holds the server's binary under the name of another tool it can be, and,
 * unlike `redis-server`, brings no service that would start now and at every boot. The name it runs under decides what
 * it is, so one link makes it the server.
 */
function installWithApt(): void {
	const asRoot = process.getuid?.() === 0 ? [] : ['sudo'];
	if (asRoot.length > 0 && Bun.which('sudo') === null) refuse('Installing it takes root, and sudo is not here.');

	announce('apt-get install redis-tools, and a link /usr/local/bin/redis-server to its binary (no service)');
	const apt = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120'];
	// One source out of reach is no matter if the package comes from another, so only the installation has to succeed.
	Bun.spawnSync([...apt, 'update'], inherit);
	run([...apt, 'install', '--yes', '--no-install-recommends', 'redis-tools']);

	const binary = Bun.which('redis-check-rdb');
	if (binary === null) refuse('The package redis-tools of this system does not hold the server.');
	run([...asRoot, 'ln', '-sf', binary, '/usr/local/bin/redis-server']);
}

function installWithBrew(): void {
	announce('brew install redis (no service)');
	run(['brew', 'install', '--quiet', 'redis']);
}

function announce(action: string): void {
	console.log(`redis-server is not on PATH. Installing it: ${action}`);
}

function run(command: string[]): void {
	if (!Bun.spawnSync(command, inherit).success) refuse(`This failed: ${command.join(' ')}`);
}

function refuse(reason: string): never {
	console.error(`redis-server is not on PATH, and the tests need it. ${reason}`);
	console.error('Install Redis 7 or later so that `redis-server` is on PATH, then run the tests again.');
	process.exit(1);
}
