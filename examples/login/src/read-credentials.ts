import { z } from 'zod';

/** Far more bytes than a name and a password need. */
const MAX_BODY_BYTES = 4_096;

const Credentials = z.object({ name: z.string().min(1).max(64), password: z.string().min(1).max(256) });
export type Credentials = z.infer<typeof Credentials>;

/** Reads name and password from a form or from JSON. Resolves with undefined if they are missing or invalid. */
export async function readCredentials(req: Request): Promise<Credentials | undefined> {
	// A body of unknown length is not read.
	const length = Number(req.headers.get('content-length') ?? Infinity);
	if (!(length <= MAX_BODY_BYTES)) return undefined;
	try {
		return Credentials.safeParse(await bodyOf(req)).data;
	} catch {
		return undefined;
	}
}

function bodyOf(req: Request): Promise<unknown> | undefined {
	if (isForm(req)) return req.text().then((text) => Object.fromEntries(new URLSearchParams(text)));
	if (contentType(req) === 'application/json') return req.json();
	return undefined;
}

/** Whether the request was sent by a form rather than by a script. */
export function isForm(req: Request): boolean {
	return contentType(req) === 'application/x-www-form-urlencoded';
}

function contentType(req: Request): string | undefined {
	return req.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
}
