import { l10n } from 'vscode';

/** The oldest server version that works with this extension. */
export const MIN_VERSION = '0.1.0';

/** Why a server of this version cannot be used; undefined if it can. */
export function versionProblem(
  version: string | undefined,
  oldest: string = MIN_VERSION,
): string | undefined {
  if (version === undefined) {
    return l10n.t('it does not report its version');
  }
  return isBefore(parseVersion(version), parseVersion(oldest))
    ? l10n.t('it is version {0}, and {1} or newer is needed', version, oldest)
    : undefined;
}

function parseVersion(version: string): number[] {
  return version.split(/[.+-]/, 3).map((part) => Number.parseInt(part, 10) || 0);
}

function isBefore(version: readonly number[], minimum: readonly number[]): boolean {
  for (const [index, required] of minimum.entries()) {
    const has = version[index] ?? 0;
    if (has !== required) {
      return has < required;
    }
  }
  return false;
}
