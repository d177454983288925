import { extension, tests, type Test } from './harness';
import './activation.test';
import './apply.test';
import './store.test';
import './compare.test';
import './conflict.test';
import './document.test';
import './manifest.test';
import './merge.test';
import './model.test';
import './run.test';
import './server.test';
import './step.test';
import './trees.test';
import './units.test';

const PATIENCE_MS = 90_000;

/** Run every test; the runner reads what is printed. */
export async function run(): Promise<void> {
  const only = process.env['WRITEIT_TEST_ONLY'];
  const wanted = tests.filter(({ group }) => only === undefined || only === '' || group === only);
  const failed: string[] = [];
  await extension();
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
    await Promise.race([body(), late()]);
    console.log(`TEST ok ${group}: ${name} (${Date.now() - began} ms)`);
    return true;
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.log(`TEST failed ${group}: ${name}\n${why}`);
    return false;
  }
}

function late(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(new Error('it took too long'));
    }, PATIENCE_MS).unref();
  });
}
