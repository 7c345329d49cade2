/** Writes the version of `@orijs/websocket` to its `src/version.ts`, from which a bundle knows it, too. */
import { join } from 'node:path';

const directory = join(import.meta.dirname, '../packages/websocket');
const source = join(directory, 'src/version.ts');
const { version } = (await Bun.file(join(directory, 'package.json')).json()) as { version: string };
const text = await Bun.file(source).text();
await Bun.write(source, text.replace(/VERSION = '[^']*'/, `VERSION = '${version}'`));
