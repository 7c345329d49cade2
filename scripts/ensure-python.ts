/** Makes sure that Python has the package `websockets`, for the client in Python, and installs it if it can. */
import { findPython } from '../packages/testkit/src/find-python.ts';
import { installer } from './lib/system-package.ts';

if (findPython() === undefined) {
	const python = installer({
		missing: 'There is no Python 3.9 or later with the package `websockets`',
		advice:
			'Install Python, and `python3-websockets` (Debian, Ubuntu) or `pip install websockets`, then run this again.',
	});
	if (Bun.which('apt-get') === null) python.refuse('apt-get is not available to install it.');
	python.apt(['python3-websockets']);
	if (findPython() === undefined) python.refuse('It was installed, but neither python3 nor /usr/bin/python3 finds it.');
}
