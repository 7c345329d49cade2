import { join } from 'node:path';

/** The releases of React Native whose `URL` classes differ: older ones lack getters and append slashes. */
export const REACT_NATIVE_RELEASES = ['0.72.17', '0.79.7', '0.83.10', '0.88.1'] as const;

/** Where `scripts/ensure-react-native-urls.ts` stores them. */
export const REACT_NATIVE_CACHE: string = join(
	import.meta.dirname,
	'../../../../node_modules/.cache/react-native-urls',
);

/** The path of a release's module, which exports `URL`. */
export function reactNativeUrl(release: string): string {
	return join(REACT_NATIVE_CACHE, release, 'URL.js');
}
