/** Moves positions apart until neighbours have the distance, each as near as it can be to where it was; in their order. */
export function spread(wanted: readonly number[], distance: number, [from, to]: readonly [number, number]): number[] {
	const order = wanted.map((_, index) => index).toSorted((left, right) => at(wanted, left) - at(wanted, right));
	const clusters: { size: number; start: number; sum: number }[] = [];
	for (const index of order) {
		let cluster = { size: 1, sum: at(wanted, index), start: 0 };
		cluster.start = startOf(cluster);
		for (let before = clusters.at(-1); before && overlaps(before, cluster); before = clusters.at(-1)) {
			clusters.pop();
			cluster = { size: before.size + cluster.size, sum: before.sum + cluster.sum, start: 0 };
			cluster.start = startOf(cluster);
		}
		clusters.push(cluster);
	}
	const placed: number[] = [];
	const flat = clusters.flatMap(({ size, start }) => Array.from({ length: size }, (_, nth) => start + nth * distance));
	for (const [rank, index] of order.entries()) placed[index] = at(flat, rank);
	return placed;

	function startOf({ size, sum }: { size: number; sum: number }): number {
		const centred = sum / size - ((size - 1) * distance) / 2;
		return Math.max(from, Math.min(centred, to - (size - 1) * distance));
	}

	function overlaps(before: { size: number; start: number }, after: { start: number }): boolean {
		return before.start + before.size * distance > after.start;
	}
}

function at(values: readonly number[], index: number): number {
	return values[index] ?? 0;
}
