/** The WebSocket subprotocol of connections that speak the protocol. All others are plain. */
export const SUBPROTOCOL = 'orijs.1';
