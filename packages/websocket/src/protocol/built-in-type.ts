// The system's own message types. No application message can have one of these names.

/** The first frame of a client with credentials: `data` is its token, or anything else that the guards expect. */
export const auth = '@auth';
/** Subscribes to topics: `data` is a {@link TopicsRequest}. Answered once messages from every node will arrive. */
export const subscribe = '@subscribe';
/** Unsubscribes from topics: `data` is a {@link TopicsRequest}. */
export const unsubscribe = '@unsubscribe';
/** Reads a page of a topic's history: `data` is a {@link HistoryRequest}, the answer a {@link HistoryAnswer}. */
export const history = '@history';
/** Checks that the connection is alive. Answered immediately, even while other requests are pending. */
export const ping = '@ping';
/** A client's answer to a request from the server. */
export const reply = '@reply';
/** From the server: messages may be missing. `data` is a {@link GapNotice}. */
export const gap = '@gap';
/** From the server: the position that the next messages of a topic follow. `data` is a {@link PositionNotice}. */
export const position = '@position';
/** From the server: it has subscribed the client to topics. `data` is a {@link SubscribedNotice}. */
export const subscribed = '@subscribed';
/** From the server: the client is no longer subscribed to topics. `data` is an {@link UnsubscribedNotice}. */
export const unsubscribed = '@unsubscribed';
/** From the server: it is about to disconnect the client. `data` is a {@link DisconnectedNotice}. */
export const disconnected = '@disconnected';
/** Asks for a topic's members and their changes: `data` is a {@link WatchRequest}, the answer a {@link WatchAnswer}. */
export const watch = '@watch';
/** Ends that: `data` is an {@link UnwatchRequest}. */
export const unwatch = '@unwatch';
/** From the server: it has ended a watch. `data` is an {@link UnwatchedNotice}. */
export const unwatched = '@unwatched';
/** Changes the client's own info: `data` is an {@link UpdateRequest}. */
export const update = '@update';
/** From the server: the members of a topic have changed. `data` is a {@link PresenceNotice}. */
export const presence = '@presence';
/** The name of plain text published to a topic with history: `data` is the text. */
export const text = '@text';
/** The message name of raw bytes that are read back from a topic's history: `data` holds the bytes. */
export const bytes = '@bytes';
