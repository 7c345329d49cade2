declare module 'flow-remove-types' {
	/** Removes Flow types. @param options `all`: also in files without `@flow` */
	export default function removeTypes(source: string, options: { all: boolean }): { toString(): string };
}
