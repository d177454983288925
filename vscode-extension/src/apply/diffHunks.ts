/** A run of lines that differs between the user's document and the proposed text. */
export interface Hunk {
  /** The hunk's first line in the user's document. */
  readonly line: number;
  readonly userLines: readonly string[];
  readonly proposedLines: readonly string[];
}

type Lines = readonly string[];

/** Longer texts are not compared line by line; they count as one hunk. */
const MAX_PAIRS = 1_000_000;

/** Where two texts differ, line by line. */
export function diffHunks(user: Lines, proposed: Lines): Hunk[] {
  const shorter = Math.min(user.length, proposed.length);
  let head = 0;
  while (head < shorter && user[head] === proposed[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < shorter - head && user.at(-1 - tail) === proposed.at(-1 - tail)) {
    tail += 1;
  }
  const a = user.slice(head, user.length - tail);
  const b = proposed.slice(head, proposed.length - tail);
  const common = a.length * b.length > MAX_PAIRS ? [] : commonSubsequence(a, b);
  return hunksBetween(a, b, common).map((hunk) => ({ ...hunk, line: hunk.line + head }));
}

type LinePair = readonly [userLine: number, proposedLine: number];

/** The lines that lie between common lines. */
function hunksBetween(a: Lines, b: Lines, common: readonly LinePair[]): Hunk[] {
  let [i, j] = [0, 0];
  return [...common, [a.length, b.length] as const].flatMap(([endI, endJ]) => {
    const hunk = { line: i, userLines: a.slice(i, endI), proposedLines: b.slice(j, endJ) };
    [i, j] = [endI + 1, endJ + 1];
    return hunk.userLines.length + hunk.proposedLines.length > 0 ? [hunk] : [];
  });
}

/** The longest common subsequence of lines, as pairs of line numbers. */
function commonSubsequence(a: Lines, b: Lines): LinePair[] {
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const length = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        a[i] === b[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const pairs: LinePair[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      pairs.push([i, j]);
      [i, j] = [i + 1, j + 1];
    } else if (length(i + 1, j) >= length(i, j + 1)) {
      i += 1;
    } else {
      j += 1;
    }
  }
  return pairs;
}
