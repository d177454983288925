/** The oldest server this extension works with. */
export const MIN_VERSION = '0.1.0';

/** Why a server of this version is not good enough; undefined if it is. */
export function versionProblem(
  version: string | undefined,
  oldest: string = MIN_VERSION,
): string | undefined {
  if (version === undefined) {
    return 'it does not say its version';
  }
  return isBefore(parseVersion(version), parseVersion(oldest))
    ? `it is version ${version}, and ${oldest} or newer is needed`
    : undefined;
}

function parseVersion(version: string): number[] {
  return version.split(/[.+-]/, 3).map((part) => Number.parseInt(part, 10) || 0);
}

function isBefore(one: readonly number[], other: readonly number[]): boolean {
  for (const [place, wanted] of other.entries()) {
    const has = one[place] ?? 0;
    if (has !== wanted) {
      return has < wanted;
    }
  }
  return false;
}
