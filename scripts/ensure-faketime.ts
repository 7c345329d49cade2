/** Makes sure that libfaketime is installed, with which the random model sets clocks, and installs it if it can. */
import { findFaketime } from '../packages/testkit/src/find-faketime.ts';
import { installer } from './lib/system-package.ts';

const faketime = installer({
	missing: 'libfaketime is not installed',
	advice: 'Install the package `libfaketime` (Debian, Ubuntu), then run this again.',
});

if (process.platform !== 'linux') console.log('Clocks can be set on Linux only: the random model does not run here.');
else if (findFaketime() === undefined) {
	if (Bun.which('apt-get') === null) faketime.refuse('apt-get is not available to install it.');
	faketime.apt(['libfaketime']);
	if (findFaketime() === undefined) faketime.refuse('It was installed, but was not found below /usr/lib.');
}
