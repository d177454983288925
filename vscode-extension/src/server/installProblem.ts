import { readFile } from 'node:fs/promises';
import { l10n } from 'vscode';
import type { Interpreter, InterpreterSearch } from './python';

/** The server could not be installed; `message` says why and what to do. */
export class InstallProblem extends Error {
  /** A command for the terminal that helps. */
  readonly command: string | undefined;

  constructor(happened: string, words: string, remedy: string, command?: string) {
    const said = words === '' ? '' : l10n.t('Python says: “{0}”', words);
    super([happened, said, remedy, command ?? ''].filter(Boolean).join(' '));
    this.command = command;
  }
}

/** What runs on this system: a key of `INSTALL_PYTHON`. */
async function systemName(): Promise<string> {
  if (process.platform !== 'linux') {
    return process.platform;
  }
  const release = await readFile('/etc/os-release', 'utf8').catch(() => ''); // an unusual system
  const names = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)].flatMap(([, ids = '']) =>
    ids.split(' '),
  );
  return names.find((name) => name in INSTALL_PYTHON) ?? 'linux';
}

/** Commands that install Python, by `ID` of os-release or by platform. */
const INSTALL_PYTHON: Readonly<Record<string, string>> = {
  alpine: 'sudo apk add python3',
  arch: 'sudo pacman -S python',
  darwin: 'brew install python',
  debian: 'sudo apt install python3 python3-venv',
  fedora: 'sudo dnf install python3',
  rhel: 'sudo dnf install python3.12',
  suse: 'sudo zypper install python312',
  ubuntu: 'sudo apt install python3 python3-venv',
  win32: 'winget install Python.Python.3.13',
};

/** No interpreter is new enough. */
export async function noInterpreter({ unusable }: InterpreterSearch): Promise<InstallProblem> {
  const happened =
    unusable.length === 0
      ? l10n.t('Python was not found.')
      : l10n.t('Python 3.11 or newer was not found ({0}).', unusable.join('; '));
  const command = INSTALL_PYTHON[await systemName()];
  const remedy = l10n.t('Install Python 3.11 or newer from python.org.');
  return command === undefined
    ? new InstallProblem(happened, '', remedy)
    : new InstallProblem(happened, '', l10n.t('Install Python in a terminal with:'), command);
}

interface Cause {
  readonly pattern: RegExp;
  readonly happened: string;
  readonly remedy: string;
}

const CAUSES: readonly Cause[] = [
  {
    pattern: /No space left|ENOSPC|not enough space/i,
    happened: l10n.t('The disk is full.'),
    remedy: l10n.t('Free about 500 MB and try again.'),
  },
  {
    pattern:
      /Permission denied|Access is denied|Not a directory|Errno 13|EACCES|Read-only file system/i,
    happened: l10n.t('The folder of the private environment cannot be written to.'),
    remedy: l10n.t('Make it writable and try again.'),
  },
  {
    pattern: /connection broken|NewConnection|NameResolution|ConnectTimeout|ProxyError|SSLError/i,
    happened: l10n.t('pip could not download what the server needs.'),
    remedy: l10n.t('Check your connection, and HTTPS_PROXY if you use a proxy. Then try again.'),
  },
  {
    pattern: /No matching distribution/,
    happened: l10n.t('The package index of pip has nothing that fits this Python.'),
    remedy: l10n.t('Check the index in the configuration of pip, or install another Python.'),
  },
  {
    pattern: /valid wheel|wheel.* is invalid|BadZipFile|not a zip file|Wheel .*corrupt/i,
    happened: l10n.t('The package of the server is damaged.'),
    remedy: l10n.t('Install this extension again, or check the setting writeit.server.package.'),
  },
];

/** What a failed child means. */
export async function childProblem(error: unknown, python: Interpreter): Promise<InstallProblem> {
  const output = outputOf(error);
  const words = lastWords(output);
  if (/ensurepip|No module named '?venv/.test(output)) {
    const happened = l10n.t('Python {0} has no venv module.', python.version);
    const minor = python.version.split('.').slice(0, 2).join('.');
    return ['debian', 'ubuntu'].includes(await systemName())
      ? new InstallProblem(
          happened,
          words,
          l10n.t('Install it in a terminal with:'),
          `sudo apt install python${minor}-venv`,
        )
      : new InstallProblem(happened, words, l10n.t('Install it, or another Python.'));
  }
  const cause = CAUSES.find(({ pattern }) => pattern.test(output));
  return new InstallProblem(
    cause?.happened ?? l10n.t('Python {0} could not install it.', python.version),
    words,
    cause?.remedy ?? l10n.t('Show the log for details.'),
  );
}

/** All that a child wrote; of one that could not be run, the error of the system. */
export function outputOf(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { readonly stdout?: string; stderr?: string };
  return `${stdout}\n${stderr}`.trim() || String(error);
}

const MAX_WORDS = 300;

/** The last line that names an error, else the first line. */
function lastWords(output: string): string {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  const line =
    lines.findLast((text) => /^ERROR: |Error: |Errno|ensurepip is not/.test(text)) ?? lines[0];
  return (line ?? '')
    .replace(/^ERROR: /, '')
    .trim()
    .slice(0, MAX_WORDS);
}
