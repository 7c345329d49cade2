/**
 * What an application may keep about a connection: any object. No promise, which an `async` function that returns something else
 * would otherwise be taken to return.
 */
export type ConnectionData = object & { readonly then?: never };
