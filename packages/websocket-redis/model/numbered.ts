import { SocketMessage } from '@orijs/websocket/protocol';

/** The name of the model's messages. */
export const MESSAGE = 'model.numbered';

/** The data of a message. */
export interface Numbered {
	/** The publishing process: `a1` is the first one of node a. */
	readonly by: string;
	readonly channel: string;
	/** Counts from 0, for each process and channel. */
	readonly n: number;
}

/** Its schema accepts everything: schemas are not what is tested. */
export const NumberedMessage: SocketMessage<{
	readonly '~standard': {
		readonly version: 1;
		readonly vendor: string;
		validate(value: unknown): { readonly value: Numbered };
		readonly types?: { readonly input: Numbered; readonly output: Numbered };
	};
}> = SocketMessage.define({
	name: MESSAGE,
	data: { '~standard': { version: 1, vendor: 'model', validate: (value) => ({ value: value as Numbered }) } },
});

export function isNumbered(data: unknown): data is Numbered {
	return typeof data === 'object' && data !== null && 'by' in data && 'channel' in data && 'n' in data;
}
