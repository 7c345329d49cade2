/** Prints the output of a process line by line, with a prefix. Resolves when the output ends. */
export async function prefixLines(
	output: ReadableStream<Uint8Array>,
	name: () => string,
	print: (line: string) => void,
): Promise<void> {
	const decoder = new TextDecoder();
	let rest = '';
	for await (const chunk of output) {
		const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
		rest = lines.pop() ?? '';
		for (const line of lines) print(`${name()} | ${line}`);
	}
	if (rest !== '') print(`${name()} | ${rest}`);
}
