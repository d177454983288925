/** Where the server comes from, and why. Pure: what can be looked at is handed in. */

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface FoundServer extends ServerCommand {
  /** In words, for the log and the status. */
  readonly reason: string;
}

export interface SearchResult {
  readonly found?: FoundServer;
  /** What was looked at before, each with why it was not taken. */
  readonly rejected: readonly string[];
}

/** One place to look, in order. */
export interface ServerSource {
  readonly name: string;
  /** The executable's path, or why there is none. */
  locate(): Promise<{ path: string } | { why: string }>;
  /** Whether nothing further is tried if this one has none. */
  readonly isFinal?: boolean;
}

/** Try the sources in order; the first that has a server wins. */
export async function findServer(sources: readonly ServerSource[]): Promise<SearchResult> {
  const tried: string[] = [];
  for (const source of sources) {
    const result = await source.locate();
    if ('path' in result) {
      return {
        found: { command: result.path, args: ['serve'], reason: source.name },
        rejected: tried,
      };
    }
    tried.push(`${source.name}: ${result.why}`);
    if (source.isFinal) {
      break;
    }
  }
  return { rejected: tried };
}
