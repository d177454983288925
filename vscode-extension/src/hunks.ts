/** A stretch of lines that two texts have differently. */
export interface Hunk {
  /** Where it begins in the first text. */
  readonly line: number;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

type Lines = readonly string[];

/** A longer stretch is not looked into: it counts as one. */
const MOST_PAIRS = 1_000_000;

/** Where two texts differ, line by line. */
export function hunks(ours: Lines, theirs: Lines): Hunk[] {
  const shorter = Math.min(ours.length, theirs.length);
  let head = 0;
  while (head < shorter && ours[head] === theirs[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < shorter - head && ours.at(-1 - tail) === theirs.at(-1 - tail)) {
    tail += 1;
  }
  const a = ours.slice(head, ours.length - tail);
  const b = theirs.slice(head, theirs.length - tail);
  const same = a.length * b.length > MOST_PAIRS ? [] : common(a, b);
  return between(a, b, same).map((one) => ({ ...one, line: one.line + head }));
}

type Pair = readonly [inOurs: number, inTheirs: number];

/** What lies between the lines that both have. */
function between(a: Lines, b: Lines, same: readonly Pair[]): Hunk[] {
  let [i, j] = [0, 0];
  return [...same, [a.length, b.length] as const].flatMap(([toI, toJ]) => {
    const hunk = { line: i, ours: a.slice(i, toI), theirs: b.slice(j, toJ) };
    [i, j] = [toI + 1, toJ + 1];
    return hunk.ours.length + hunk.theirs.length > 0 ? [hunk] : [];
  });
}

/** The longest row of lines that both have. */
function common(a: Lines, b: Lines): Pair[] {
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      found.push([i, j]);
      [i, j] = [i + 1, j + 1];
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      i += 1;
    } else {
      j += 1;
    }
  }
  return found;
}
