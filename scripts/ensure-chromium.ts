/** Makes sure that the browser tests find a real Chromium. Tries to install one if it is missing. */
import { existsSync, readFileSync } from 'node:fs';
import { findChromium } from '../packages/testkit/src/find-chromium.ts';
import { installer, type Installer } from './lib/system-package.ts';

const chromium: Installer = installer({
	missing: 'Neither Chromium nor Chrome is on PATH',
	advice: 'Install one of them, or set CHROMIUM_PATH to its executable, then run the tests again.',
});

if (findChromium() === undefined) {
	const named = process.env['CHROMIUM_PATH'];
	if (named) chromium.refuse(`CHROMIUM_PATH is ${named}, which is not an executable.`);
	if (isUbuntu())
		chromium.refuse("Ubuntu's package is a snap, which can't read the tests' profiles. Google's Chrome package works.");
	if (Bun.which('apt-get') !== null) chromium.apt(['chromium', ...(hasFont() ? [] : ['fonts-dejavu-core'])]);
	else if (Bun.which('brew') !== null) chromium.brew(['--cask', 'google-chrome'], 'brew install --cask google-chrome');
	else chromium.refuse('Neither apt-get nor brew is available to install it.');
	if (findChromium() === undefined) chromium.refuse('It was installed, but it is not on PATH.');
}

function isUbuntu(): boolean {
	try {
		return /^ID="?ubuntu"?$/m.test(readFileSync('/etc/os-release', 'utf8'));
	} catch {
		return false;
	}
}

/**
 * Whether a font is installed. Chromium's package only recommends one, but without a font, text on pages has no size.
 */
function hasFont(): boolean {
	const fonts = new Bun.Glob('**/*.{ttf,otf,ttc,pfb}');
	return ['/usr/share/fonts', '/usr/local/share/fonts'].some((cwd) => {
		return existsSync(cwd) && [...fonts.scanSync({ cwd, followSymlinks: true })].length > 0;
	});
}
