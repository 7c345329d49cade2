import { X509Certificate } from 'node:crypto';
import { RedisClient } from 'bun';
import { afterEach, expect, test } from 'vitest';
import { startTestRedis } from './fixtures/start-test-redis.ts';
import { selfSigned } from './self-signed.ts';

const clients: RedisClient[] = [];

/** Connects as a test would, with the URL and the certificate. */
function connect(url: string, ca?: string): RedisClient {
	const client = new RedisClient(url, { autoReconnect: false, ...(ca !== undefined && { tls: { ca } }) });
	clients.push(client);
	return client;
}

afterEach(() => {
	for (const client of clients.splice(0)) client.close();
});

test('a password is required of clients; the URL, command() and replicas include it', async () => {
	const primary = await startTestRedis({ password: 'a b"c/@:ü' });
	const replica = await startTestRedis({ password: 'a b"c/@:ü', replicaOf: primary });
	await replica.linkUp();
	await primary.replicated();

	expect(await connect(primary.url).set('key', 'value')).toBe('OK');
	await expect(connect(`redis://127.0.0.1:${primary.port}`).get('key')).rejects.toThrow(/NOAUTH/);
	await primary.restart();
	expect(await primary.command('GET', 'key')).toBe(null);
});

test('TLS accepts clients that trust its certificate, and rejects clients without TLS', async () => {
	const redis = await startTestRedis({ tls: true });
	expect(redis.url).toBe(`rediss://127.0.0.1:${redis.port}`);

	expect(await connect(redis.url, redis.ca).set('key', 'value')).toBe('OK');
	await redis.restart();
	expect(await redis.command('PING')).toBe('PONG');
	await expect(connect(redis.url).get('key')).rejects.toThrow();
	await expect(connect(`redis://127.0.0.1:${redis.port}`).get('key')).rejects.toThrow();
});

test('replication works with TLS and a password', async () => {
	const primary = await startTestRedis({ tls: true, password: 'secret' });
	const replica = await startTestRedis({ tls: true, password: 'secret', replicaOf: primary });
	await replica.linkUp();
	await primary.command('SET', 'key', 'value');
	await primary.replicated();

	expect(await connect(replica.url, replica.ca).get('key')).toBe('value');
});

test('has no certificate without TLS', async () => {
	const redis = await startTestRedis({});

	expect([redis.ca, redis.url]).toEqual([undefined, `redis://127.0.0.1:${redis.port}`]);
});

test('the certificate is self-signed and valid for loopback names and addresses', () => {
	const { cert, key } = selfSigned();
	const certificate = new X509Certificate(cert);

	expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
	expect(certificate.verify(certificate.publicKey)).toBe(true);
	expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
	expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now() + 1_000_000_000);
	expect(selfSigned()).toEqual({ cert, key });
});
