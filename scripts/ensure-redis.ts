/** Makes sure that `redis-server`, which the tests start, is on PATH. Tries to install it if it is missing. */
import { installer, type Installer } from './lib/system-package.ts';

const redis: Installer = installer({
	missing: 'redis-server is not on PATH',
	advice: 'Install Redis 7 or later so that `redis-server` is on PATH, then run the tests again.',
});

if (Bun.which('redis-server') === null) {
	if (Bun.which('apt-get') !== null) installWithApt();
	else if (Bun.which('brew') !== null) redis.brew(['redis'], 'brew install redis (no service)');
	else redis.refuse('Neither apt-get nor brew is available to install it.');
	if (Bun.which('redis-server') === null) redis.refuse('It was installed, but it is not on PATH.');
}

/**
 * Installs the package `redis-tools` of Debian and Ubuntu. Unlike the package `redis-server`, it adds no service that
 * starts now and at every boot. Its `redis-check-rdb` is the same binary as the server, which acts according to the
 * name by which it is called, so a link named `redis-server` starts the server.
 */
function installWithApt(): void {
	redis.apt(
		['redis-tools'],
		'apt-get install redis-tools, then link /usr/local/bin/redis-server to its binary (no service)',
	);
	const binary = Bun.which('redis-check-rdb');
	if (binary === null) redis.refuse('The redis-tools package of this system does not contain the server.');
	redis.asRoot(['ln', '-sf', binary, '/usr/local/bin/redis-server']);
}
