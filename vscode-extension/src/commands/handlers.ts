import type { App } from '../app';

/** What a palette command does; `argument` is what it was invoked on, if anything. */
export type Handler = (app: App, argument: unknown) => Promise<unknown>;

/** Handlers by the tail of their ids, after `writeit.ui.`. */
export type Handlers = Readonly<Record<string, Handler>>;
