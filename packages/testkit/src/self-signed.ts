import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate and its private key, both as PEM. */
export interface Identity {
	readonly cert: string;
	readonly key: string;
}

let identity: Identity | undefined;

/**
 * Returns a self-signed certificate for localhost, 127.0.0.1 and ::1, which is its own `ca`. It is always the same one
 * in this thread, so that servers trust each other. It is generated here because not every machine has `openssl`.
 */
export function selfSigned(): Identity {
	return (identity ??= create());
}

/** Creates an X.509 v3 certificate in DER, see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function create(): Identity {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
	const name = sequence(set(sequence(oid('550403'), der(0x0c, Buffer.from('orijs testkit')))));
	const tbs = sequence(
		der(0xa0, integer(Buffer.from([2]))),
		integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
		ecdsaWithSha256,
		name,
		sequence(time(Date.now() - DAY_MS), time(Date.now() + 30 * DAY_MS)),
		name,
		publicKey.export({ type: 'spki', format: 'der' }),
		der(0xa3, sequence(basicConstraints(), subjectAltName())),
	);
	const signature = der(0x03, Buffer.from([0]), sign('sha256', tbs, privateKey));
	return {
		cert: pem('CERTIFICATE', sequence(tbs, ecdsaWithSha256, signature)),
		key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
	};
}

/** Marks the certificate as a CA, because it is self-signed. The extension is critical. */
function basicConstraints(): Buffer {
	const yes = der(0x01, Buffer.from([0xff]));
	return sequence(oid('551d13'), yes, der(0x04, sequence(yes)));
}

function subjectAltName(): Buffer {
	const dns = der(0x82, Buffer.from('localhost'));
	const ip = [Buffer.from([127, 0, 0, 1]), Buffer.from([...Buffer.alloc(15), 1])].map((bytes) => der(0x87, bytes));
	return sequence(oid('551d11'), der(0x04, sequence(dns, ...ip)));
}

function der(tag: number, ...parts: Buffer[]): Buffer {
	const content = Buffer.concat(parts);
	return Buffer.concat([Buffer.from([tag, ...size(content.length)]), content]);
}

/** Encodes a length in the shortest form, because BoringSSL accepts no other. */
function size(length: number): number[] {
	if (length < 0x80) return [length];
	return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function sequence(...parts: Buffer[]): Buffer {
	return der(0x30, ...parts);
}

function set(...parts: Buffer[]): Buffer {
	return der(0x31, ...parts);
}

/** Encodes a positive integer, whose first byte MUST be below 0x80. */
function integer(bytes: Buffer): Buffer {
	return der(0x02, bytes);
}

function oid(hex: string): Buffer {
	return der(0x06, Buffer.from(hex, 'hex'));
}

/** Encodes a time as UTCTime: YYMMDDHHMMSSZ. */
function time(ms: number): Buffer {
	return der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function pem(label: string, bytes: Buffer): string {
	const lines = bytes.toString('base64').replace(/.{64}(?!$)/g, '$&\n');
	return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
