/** The version of this package, as in its `package.json`, which a bundle doesn't hold. */
export const VERSION = '0.0.0';
