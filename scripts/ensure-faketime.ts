/** Makes sure that the tests can set the clocks of processes they start, and installs libfaketime if it can. */
import { findFaketime } from '../packages/testkit/src/find-faketime.ts';
import { installer, type Installer } from './lib/system-package.ts';

const faketime: Installer = installer({
	missing: 'libfaketime is not installed',
	advice: 'Install the package libfaketime of Debian or Ubuntu, then run the tests again.',
});

if (process.platform !== 'linux') {
	console.log('Only on Linux can the clocks of processes be set: the tests that need it are left out.');
} else if (findFaketime() === undefined) {
	if (Bun.which('apt-get') === null) faketime.refuse('apt-get is not available to install it.');
	faketime.apt(['libfaketime']);
	if (findFaketime() === undefined) faketime.refuse('It was installed, but is not where it is expected.');
}
