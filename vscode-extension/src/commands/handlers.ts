import type { App } from '../app';

/** Runs a command; `argument` is what it was invoked on, if anything. */
export type Handler = (app: App, argument: unknown) => Promise<unknown>;

/** Handlers by their command ids without `writeit.ui.`. */
export type Handlers = Readonly<Record<string, Handler>>;
