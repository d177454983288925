import type { ErrorKind } from './protocol';

const REQUEST_CANCELLED = -32800;

/** The data of an error response: what happened, and a hint what to do next. */
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

/** The server's error data, or undefined if the error is not one of the server's. */
export function refusalData(error: unknown): RefusalData | undefined {
  return isRpcError(error) && isRefusalData(error.data) ? error.data : undefined;
}

// Not by `instanceof`: the class would load the language client with the extension.
function isRpcError(error: unknown): error is RpcError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function isRefusalData(data: unknown): data is RefusalData {
  return typeof data === 'object' && data !== null && 'kind' in data && 'message' in data;
}

/** Whether the user cancelled the request, which is no error to report. */
export function isCancelled(error: unknown): boolean {
  return isRpcError(error) && error.code === REQUEST_CANCELLED;
}

/** Codes of the language client for messages that a connection could not send or answer. */
const CONNECTION_CODES: readonly number[] = [-32099, -32098, -32097, -32096, -32002, 1, 2];

/** Whether the connection ended before the server answered. */
export function isConnectionError(error: unknown): boolean {
  return (
    (isRpcError(error) && error.data === undefined && CONNECTION_CODES.includes(error.code)) ||
    (error instanceof Error && /Client is not running|EPIPE|after a stream was/.test(error.message))
  );
}

/** The message, and the server's hint if it has one. */
export function describeError(error: unknown): string {
  const refusal = refusalData(error);
  if (refusal) {
    return [refusal.message, refusal.hint].filter(Boolean).join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}
