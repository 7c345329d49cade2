// Code that the packages of this repository share. Not public API: any release may change it without notice.

export { answeredAt } from './answered-at.ts';
export { CallOrder } from './support/call-order.ts';
export { errorName } from './support/error-name.ts';
export { FailureLog } from './support/failure-log.ts';
export { Listeners } from './support/listeners.ts';
export { isLogged } from './support/logged-errors.ts';
export { type LogKind, type LogLevel, type LogThrottle, throttleOf } from './support/log-throttle.ts';
export { promiseOf } from './support/promise-of.ts';
export { quiet, rejected, settledWithin, toError, within } from './support/promises.ts';
export { type OptionNames, unknownOption } from './support/unknown-option.ts';
export { wallTime } from './support/wall-time.ts';
export { escapeText } from './support/escape-text.ts';
export { isPayload, roughSize, snapshot } from './wire/payload.ts';
export { show } from './support/show.ts';
export { isSchema } from './protocol/message.ts';
export { isUserId } from './sockets/user-id.ts';
export { isSpeaker } from './sockets/websocket-connection.ts';
export { toSpeaker } from './wire/payload-forms.ts';
export { copyInfo } from './presence/presence-info.ts';
export { presenceChannel } from './wire/channel-names.ts';
export { decodeFrame, type Digest, encodeDigestHeader, encodePresenceHeader, randomOrigin } from './wire/frame.ts';
export {
	type DigestEntry,
	encodeEntry,
	ENTRY_BYTES as DIGEST_ENTRY_BYTES,
	MAX_DIGEST_ENTRIES,
	MAX_RUN as MAX_DIGEST_RUN,
} from './wire/digest.ts';
