import { activateExtension, tests, type Test } from './harness';
import './activation.test';
import './apply.test';
import './change.test';
import './store.test';
import './compare.test';
import './conflict.test';
import './document.test';
import './languageModels.test';
import './install.test';
import './manifest.test';
import './merge.test';
import './model.test';
import './run.test';
import './server.test';
import './step.test';
import './trees.test';
import './units.test';

const TIMEOUT_MS = 90_000;

/** Run every test; the runner reads the printed lines. */
export async function run(): Promise<void> {
  const only = process.env['WRITEIT_TEST_ONLY']?.split(',') ?? [''];
  const wanted = tests.filter(({ group }) => only[0] === '' || only.includes(group));
  const failed: string[] = [];
  await activateExtension();
  for (const test of wanted) {
    if (!(await passes(test))) {
      failed.push(test.name);
    }
  }
  console.log(`TEST done ${wanted.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0) {
    throw new Error(`failed: ${failed.join('; ')}`);
  }
}

async function passes({ group, name, run: body }: Test): Promise<boolean> {
  const began = Date.now();
  try {
    await Promise.race([body(), rejectAfterTimeout()]);
    console.log(`TEST ok ${group}: ${name} (${Date.now() - began} ms)`);
    return true;
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.log(`TEST failed ${group}: ${name}\n${why}`);
    return false;
  }
}

function rejectAfterTimeout(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(new Error('timed out'));
    }, TIMEOUT_MS).unref();
  });
}
