import type { App } from './app';
import type { RunListParams, RunListResult } from './protocol';

/** The server's limit for one request. */
const PAGE_SIZE = 1000;

/** The newest runs, all of them unless `max` is given, with as many requests as they need. */
export async function listRuns(
  app: App,
  params: RunListParams,
  max = Infinity,
): Promise<RunListResult> {
  const runs: RunListResult['runs'][number][] = [];
  let before: string | null = null;
  do {
    const limit = Math.min(PAGE_SIZE, max - runs.length);
    const request: RunListParams = { ...params, limit, before };
    const page: RunListResult = await app.server.execute('writeit.run.list', request);
    runs.push(...page.runs);
    before = page.next ?? null;
  } while (before !== null && runs.length < max);
  return { runs, next: before };
}
