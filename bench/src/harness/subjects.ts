import { onNode, own, peer, type SubjectKind } from './subject-kind.ts';

// The technologies on which this system is built, and hand-written alternatives
export const rawBun: SubjectKind = own('raw Bun', 'raw-bun');
/** The same program again. Its ratio to the first one shows the resolution of the method. */
export const rawBunAgain: SubjectKind = own('raw Bun again', 'raw-bun');
export const bareIoredis: SubjectKind = own('bare ioredis', 'bare-ioredis');
export const channelEach: SubjectKind = { ...own('raw Bun + a Redis channel each', 'channel-each'), overRedis: true };
export const jsonEnvelope: SubjectKind = own('JSON envelope', 'json-envelope');
/** History written by hand: one pipelined script call per message. Every client reads its own history. */
export const historyByHand: SubjectKind = own('Lua script by hand', 'history-by-hand');

/** Presence written by hand: a hash per topic, and a JSON message for each change. */
export const presenceByHand: SubjectKind = { ...own('hash by hand', 'presence-by-hand'), overRedis: true };
/** The structure that Centrifugo documents: each client has an expiry, and is refreshed. */
export const presenceByExpiry: SubjectKind = { ...own('expiry per client', 'presence-by-expiry'), overRedis: true };
/** The same, and also by user. */
export const presenceByExpiryOfUsers: SubjectKind = {
	...own('expiry per client and user', 'presence-by-expiry', { mapsUsers: true }),
	overRedis: true,
};

// This system
export const orijs: SubjectKind = own('orijs', 'orijs');
/** Half of the clients are plain, the other half speak the protocol. */
export const orijsBothKinds: SubjectKind = own('orijs with both kinds', 'orijs', { hasBothKinds: true });
/** With `perMessageDeflate`, for messages of any length. */
export const orijsCompressing: SubjectKind = own('orijs with compression', 'orijs', { compresses: true });

export const orijsRedis: SubjectKind = { ...orijs, name: 'orijs + Redis', overRedis: true };

export const orijsHistory: SubjectKind = own('orijs with history', 'orijs-history');

export const orijsPresence: SubjectKind = { ...own('orijs with presence', 'orijs-presence'), overRedis: true };

// Peers
export const crossws: SubjectKind = peer('crossws', 'crossws');
export const crosswsRedis: SubjectKind = peer('crossws + Redis', 'crossws');
export const socketIoBun: SubjectKind = peer('Socket.IO on Bun', 'socket-io');
export const socketIoNode: SubjectKind = onNode('Socket.IO on Node', 'socket-io');
export const socketIoBunRedis: SubjectKind = peer('Socket.IO on Bun + Redis', 'socket-io', { adapter: 'redis' });
export const socketIoBunSharded: SubjectKind = peer('Socket.IO on Bun + sharded', 'socket-io', { adapter: 'sharded' });
export const socketIoBunStreams: SubjectKind = peer('Socket.IO on Bun + streams', 'socket-io', { adapter: 'streams' });
export const socketIoNodeRedis: SubjectKind = onNode('Socket.IO on Node + Redis', 'socket-io', { adapter: 'redis' });
export const socketIoNodeStreams: SubjectKind = onNode('Socket.IO on Node + streams', 'socket-io', {
	adapter: 'streams',
});
