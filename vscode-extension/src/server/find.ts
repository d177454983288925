/** Where the server comes from, and why. Pure: what can be looked at is handed in. */

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export interface Found extends Command {
  /** In words, for the log and the status. */
  readonly reason: string;
}

export interface Search {
  readonly found?: Found;
  /** What was looked at before, each with why it was not taken. */
  readonly tried: readonly string[];
}

/** One place to look, in order. */
export interface Source {
  readonly name: string;
  /** The executable's path, or why there is none. */
  look(): Promise<{ path: string } | { why: string }>;
  /** Whether nothing further is tried if this one has none. */
  readonly decisive?: boolean;
}

/** Try the sources in order; the first that has a server wins. */
export async function find(sources: readonly Source[]): Promise<Search> {
  const tried: string[] = [];
  for (const source of sources) {
    const result = await source.look();
    if ('path' in result) {
      return { found: { command: result.path, args: ['serve'], reason: source.name }, tried };
    }
    tried.push(`${source.name}: ${result.why}`);
    if (source.decisive) {
      break;
    }
  }
  return { tried };
}
