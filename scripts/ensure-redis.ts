/** The tests start real Redis servers: makes sure `redis-server` is on PATH, and installs it where it can. */
import { installer, type Installer } from './lib/system-package.ts';

const redis: Installer = installer({
	missing: 'redis-server is not on PATH',
	advice: 'Install Redis 7 or later so that `redis-server` is on PATH, then run the tests again.',
});

if (Bun.which('redis-server') === null) {
	if (Bun.which('apt-get') !== null) installWithApt();
	else if (Bun.which('brew') !== null) redis.brew(['redis'], 'brew install redis (no service)');
	else redis.refuse('Neither apt-get nor brew is here to install it.');
	if (Bun.which('redis-server') === null) redis.refuse('It was installed to a folder that is not on PATH.');
}

/**
 * The Debian and Ubuntu package `redis-tools` holds the server's binary under the name of another tool it can be, and,
 * unlike `redis-server`, brings no service that would start now and at every boot. The name it runs under decides what
 * it is, so one link makes it the server.
 */
function installWithApt(): void {
	redis.apt(
		['redis-tools'],
		'apt-get install redis-tools, and a link /usr/local/bin/redis-server to its binary (no service)',
	);
	const binary = Bun.which('redis-check-rdb');
	if (binary === null) redis.refuse('The package redis-tools of this system does not hold the server.');
	redis.asRoot(['ln', '-sf', binary, '/usr/local/bin/redis-server']);
}
