import { diffArrays } from 'diff';

/** A run of lines that differs between the user's document and the proposed text. */
export interface Hunk {
  /** The hunk's first line in the user's document. */
  readonly line: number;
  readonly userLines: readonly string[];
  readonly proposedLines: readonly string[];
}

/** Texts that differ in more lines are not compared line by line; they count as one hunk. */
const MAX_DIFFERENCES = 2000;

/** Where two texts differ, line by line. */
export function diffHunks(user: readonly string[], proposed: readonly string[]): Hunk[] {
  const options = { maxEditLength: MAX_DIFFERENCES };
  const changes = diffArrays([...user], [...proposed], options);
  if (changes === undefined) {
    return [{ line: 0, userLines: user, proposedLines: proposed }];
  }
  const hunks: Hunk[] = [];
  let [line, userLines, proposedLines]: [number, string[], string[]] = [0, [], []];
  for (const { added, removed, value } of [
    ...changes,
    { added: false, removed: false, value: [] },
  ]) {
    if (added || removed) {
      (added ? proposedLines : userLines).push(...value);
      continue;
    }
    if (userLines.length + proposedLines.length > 0) {
      hunks.push({ line, userLines, proposedLines });
    }
    line += userLines.length + value.length;
    [userLines, proposedLines] = [[], []];
  }
  return hunks;
}
