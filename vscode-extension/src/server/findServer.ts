/** Finds the server's executable among given sources. */

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface FoundServer extends ServerCommand {
  /** Where it was found, for the log and for messages. */
  readonly reason: string;
}

export interface SearchResult {
  readonly server?: FoundServer;
  /** Sources that have no server, each with the reason. */
  readonly rejected: readonly string[];
}

/** A place where the server may be. */
export interface ServerSource {
  readonly name: string;
  /** Returns the executable's path, or why there is none. */
  locate(): Promise<{ path: string } | { problem: string }>;
  /** Whether later sources are not tried if this one has no server. */
  readonly isFinal?: boolean;
}

/** Try the sources in order, until one has a server. */
export async function findServer(sources: readonly ServerSource[]): Promise<SearchResult> {
  const rejected: string[] = [];
  for (const source of sources) {
    const result = await source.locate();
    if ('path' in result) {
      return {
        server: { command: result.path, args: ['serve'], reason: source.name },
        rejected,
      };
    }
    rejected.push(`${source.name}: ${result.problem}`);
    if (source.isFinal) {
      break;
    }
  }
  return { rejected };
}
