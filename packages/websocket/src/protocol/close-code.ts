// The codes with which the server closes connections. Codes from 4000 on are specific to this system.

/** The client sent a binary message, which the server has no handler for. */
export const unsupportedData = 1003;
/** The client sent a message larger than `limits.messageBytes`. */
export const messageTooBig = 1009;
/** The server failed; its log says why. */
export const internalError = 1011;
/** The server is stopping or restarting. Reconnect after the delay that {@link readRetryHint} returns. */
export const serviceRestart = 1012;
/** The client reads too slowly; it has missed messages. */
export const tryAgainLater = 1013;
/** A guard rejected the client. A retry with the same credentials is pointless. */
export const unauthorized = 4401;
/** The server has disconnected the client for good; the reason says why. */
export const disconnected = 4403;
/** The client's first message, or the guards, took too long. */
export const guardTimeout = 4408;
/** The client kept sending too fast. */
export const tooManyMessages = 4429;
/** The server has disconnected the client. Reconnect after the delay that {@link readRetryHint} returns. */
export const reconnect = 4503;
