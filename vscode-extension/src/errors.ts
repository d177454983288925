import type { ErrorKind } from './protocol';

const REQUEST_CANCELLED = -32800;

/** What the server says when it refuses: what happened, and what to do next. */
export interface RefusalData {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
  readonly reason?: string;
  readonly provider?: string;
  readonly problems?: readonly { readonly path: string; readonly message: string }[];
}

/** A JSON-RPC error as the language client throws it. */
interface RpcError {
  readonly code: number;
  readonly data?: unknown;
}

/** The server's typed refusal, or undefined if the error is something else. */
export function refusalData(error: unknown): RefusalData | undefined {
  return isRpcError(error) && isRefusal(error.data) ? error.data : undefined;
}

// Told by its shape: the class would load the whole language client with the extension.
function isRpcError(error: unknown): error is RpcError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function isRefusal(data: unknown): data is RefusalData {
  return typeof data === 'object' && data !== null && 'kind' in data && 'message' in data;
}

/** Whether the writer stopped it herself: nothing to complain about. */
export function isCancelled(error: unknown): boolean {
  return isRpcError(error) && error.code === REQUEST_CANCELLED;
}

/** What to tell the writer: the message, and what to do next. */
export function describeError(error: unknown): string {
  const refused = refusalData(error);
  if (refused) {
    return [refused.message, refused.hint].filter(Boolean).join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}
