// Checks of the page of a step, with the HTML, policy, script and style of the extension.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { report, required, withPage } from './browser.mjs';

const { buildSync } = createRequire(join(required('EXTENSION'), 'package.json'))('esbuild');
const ORIGIN = 'http://127.0.0.1:1';

/** The extension's own HTML; of VS Code it needs settings, texts and addresses. */
function pageHtml(hasImages = false) {
  const entry = join(required('EXTENSION'), 'src/desk/deskHtml.ts');
  const options = { bundle: true, write: false, platform: 'node', format: 'cjs', external: ['vscode'] };
  const [{ text }] = buildSync({ ...options, entryPoints: [entry] }).outputFiles;
  const vscode = {
    l10n: { t: (words) => words },
    env: { language: 'en' },
    workspace: { getConfiguration: () => ({ get: (_, value) => value }) },
    Uri: { joinPath: (base, ...parts) => [base, ...parts].join('/') },
  };
  const module = { exports: {} };
  const load = (name) => (name === 'vscode' ? vscode : createRequire(import.meta.url)(name));
  new Function('require', 'module', 'exports', text)(load, module, module.exports);
  const webview = { cspSource: ORIGIN, asWebviewUri: (uri) => uri };
  return module.exports.deskHtml(webview, { extensionUri: ORIGIN, resource: '', hasImages });
}

const CAN = { run: false, regenerate: true, select: true, merge: true, continue: false, skip: false, apply: false, branch: true };

function answer(number, text, extra = {}) {
  const head = { responseId: `id-${number}`, name: String(number), model: 'openai/gpt', state: 'ended', round: 0 };
  const rest = { facts: '12 words · $0.0020', note: '', isChosen: false, isDraft: false, canContinue: false, score: null };
  return { ...head, ...rest, text, ...extra };
}

function remark(quote, extra = {}) {
  const said = { remarkId: `id-${quote}`, about: `clarity · ${quote}`, quote, kind: 'clarity', remark: 'Say it shorter.' };
  return { ...said, replacement: null, range: null, ...extra };
}

function stepPage(answers, extra = {}) {
  const steps = ['angles', 'draft'].map((name) => ({ name, uri: `writeit:/step/x/${name}.md`, status: 'done' }));
  const flags = { canPause: false, canResume: false, isStreaming: false, isLast: false, choosesItems: false };
  const base = { kind: 'step', title: 'draft · step 2 of 2', intro: '**2 answers to choose from.**' };
  return { ...base, steps, answers, remarks: [], dismissed: 0, isReview: false, merge: '', passages: 0, feedback: '', drafts: {}, can: CAN, ...flags, ...extra };
}

const LONG = Array.from({ length: 60 }, (_, index) => `Paragraph ${index}, with **some** words.\n`).join('\n');
const TWO = [answer(1, `# One\n\nA [link](https://x.example) and **bold words** here.\n\n${LONG}`), answer(2, LONG)];

const CHECKS = {
  'the policy stops other scripts, styles, frames and images': async (page) => {
    const isRun = await page.evaluate(async () => {
      const seen = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => seen.push(effectiveDirective));
      const add = (tag, attributes) => document.body.append(Object.assign(document.createElement(tag), attributes));
      add('script', { textContent: 'window.evil = true' });
      add('style', { textContent: 'body { color: red }' });
      add('img', { src: 'https://x.example/a.png' });
      add('iframe', { src: 'https://x.example/' });
      await fetch('https://x.example/').catch(() => undefined);
      window.blocked = () => seen.toSorted().join();
      return window.evil === true;
    });
    equal(isRun, false);
    const all = 'connect-src,frame-src,img-src,script-src-elem,style-src-elem';
    await page.waitForFunction((wanted) => window.blocked() === wanted, all);
  },

  'html of a model is text, and links lead to the web or to pages': async (page, show) => {
    const evil = '<img src=x onerror=alert(1)> [a](javascript:alert(1)) [b](command:x) <command:x> [d](data:text/html,x) [e](file:///x) ![f](data:image/png;base64,x) [g][r]\n\n[r]: command:x';
    const head = { note: evil, model: evil, facts: evil };
    await show(stepPage([answer(1, `${evil}\n\n[c](https://x.example)`, head)], { title: evil, intro: evil, merge: evil }));
    equal(await page.locator('img').count(), 0);
    const links = await page.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    equal(links.filter((href) => !href.startsWith('writeit:')).join(), 'https://x.example');
  },

  'a page that cannot be read says why above what is there': async (page, show) => {
    await show(stepPage(TWO));
    await message(page, { kind: 'page', page: { kind: 'problem', title: '', intro: 'Trust it.' } });
    equal((await page.getByText('Trust it.').boundingBox()).width > 300, true);
    equal(await page.locator('.answer').count(), 2);
  },

  'images are not loaded until the user asks': async (page, show) => {
    await show(stepPage([answer(1, '![bridge](https://x.example/b.png)')]));
    await page.getByText('Image: bridge').waitFor();
    await page.getByRole('button', { name: 'Show Images' }).click();
    equal((await sent(page, 'images')).length, 1);
  },

  'what streams grows without moving what is read': async (page, show) => {
    const growing = (count) => answer(1, LONG.split('\n').slice(0, count).join('\n'), { state: 'streaming' });
    await page.setViewportSize({ width: 480, height: 700 });
    await show(stepPage([growing(9), answer(2, LONG)], { isStreaming: true }));
    const read = page.locator('.answer').nth(1).getByText('Paragraph 20,');
    await read.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const before = await read.boundingBox();
    for (const count of [30, 60, 120]) {
      await show(stepPage([growing(count), answer(2, LONG)], { isStreaming: true }));
      // The browser adjusts its scroll position in the next frame.
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
    equal(Math.abs((await read.boundingBox()).y - before.y) < 2, true); // a fraction of a pixel is rounded
  },

  'a selection stays while its answer grows': async (page, show) => {
    const grow = (words) => show(stepPage([answer(1, `First words.\n\n${words}`, { state: 'streaming' })], { isStreaming: true }));
    await grow('Then');
    await page.getByText('First words.').click({ clickCount: 3 });
    await grow('Then more, and more.');
    equal((await page.evaluate(() => document.getSelection().toString())).trim(), 'First words.');
  },

  'a text that has grown is shown like one that is whole': async (page, show) => {
    const text = 'One\n#\n#two\n\n- a\n\n  b\n\n*c*\n***\n***d*** [r][x]\n\n    code\n\n    more\n\n```\ne\n\nf\n```\n\n| g |\n| - |\n| h |\n\n1. i\n\n\n2) j\n\n> k\n\nl\n---\n\n[x]: https://x.example\n';
    for (let end = 1; end <= text.length; end += 1) await show(stepPage([answer(1, text.slice(0, end))]));
    const grown = await page.locator('.prose').innerHTML();
    await show(stepPage([answer(1, '')]));
    await show(stepPage([answer(1, text)]));
    equal(grown, await page.locator('.prose').innerHTML());
  },

  'selected words are taken as the markdown has them': async (page, show) => {
    await show(stepPage(TWO));
    await page.locator('.answer').first().getByText('bold words').dblclick();
    await page.getByRole('button', { name: 'Add Selection' }).click();
    await page.getByText('A link and').click({ clickCount: 3 });
    await page.getByRole('button', { name: 'Choose Selection' }).click();
    const [take, choose] = (await sent(page, 'act')).map(({ act }) => act);
    equal(take.text, 'words');
    equal(choose.text, 'A [link](https://x.example) and **bold words** here.');
  },

  'keys choose, select and merge, and letters do nothing outside of an answer': async (page, show) => {
    await show(stepPage(TWO));
    await page.keyboard.press('c');
    equal((await sent(page, 'act')).length, 0);
    for (const key of ['1', 'ArrowRight', 'Shift+ArrowDown', 'm', 'Control+Enter']) await page.keyboard.press(key);
    const [take, choose] = (await sent(page, 'act')).map(({ act }) => act);
    equal(take.text, 'Paragraph 0, with **some** words.');
    equal([choose.act, choose.responseId, choose.goOn].join(), 'choose,id-2,true');
    await show(stepPage(Array.from({ length: 12 }, (_, index) => answer(index + 1, LONG))));
    for (const key of ['1', '2']) await page.keyboard.press(key);
    equal(await page.evaluate(() => document.activeElement.querySelector('h2').textContent), 'Answer 12');
  },

  'what is typed is sent at once, and an older page does not overwrite it': async (page, show) => {
    await show(stepPage(TWO));
    await page.keyboard.press('f');
    await page.keyboard.type('Shorter');
    await show(stepPage(TWO, { feedback: 'old' }));
    equal(await page.locator('#feedback-text').inputValue(), 'Shorter');
    equal((await sent(page, 'draft')).at(-1).text, 'Shorter');
    await message(page, { kind: 'saved', place: 'feedback', text: 'Shorter' });
    await show(stepPage(TWO, { feedback: '' })); // a decision has taken it
    equal(await page.locator('#feedback-text').inputValue(), '');
  },

  'words that were not saved are sent again after a reload': async (page, show) => {
    await show(stepPage(TWO, { feedback: 'old', drafts: { feedback: 'old' } }));
    await page.keyboard.press('f');
    await page.keyboard.type('!');
    await page.reload();
    const [draft] = await sent(page, 'draft');
    equal([draft.place, draft.text, draft.replaces].join(), 'feedback,old!,old');
    await show(stepPage(TWO, { feedback: 'old', drafts: { feedback: 'old' } }));
    equal(await page.locator('#feedback-text').inputValue(), 'old!');
    await message(page, { kind: 'saved', place: 'feedback', text: 'old!' });
    await page.reload();
    equal((await sent(page, 'draft')).length, 0);
  },

  'words of another window are shown with those that are typed here': async (page, show) => {
    await show(stepPage(TWO));
    await page.keyboard.press('f');
    await page.keyboard.type('Mine');
    await message(page, { kind: 'changed', place: 'feedback', text: 'Theirs' });
    await page.keyboard.type('!'); // where the cursor was
    equal(await page.locator('#feedback-text').inputValue(), 'Theirs\n\nMine!');
    const drafts = await sent(page, 'draft');
    equal(drafts.at(-2).replaces, 'Theirs');
    equal(drafts.at(-1).text, 'Theirs\n\nMine!');
  },

  'columns fold to one where they are narrow': async (page, show) => {
    await show(stepPage(TWO));
    const columns = () => page.locator('.grid').evaluate((grid) => getComputedStyle(grid).gridTemplateColumns.split(' ').filter((width) => width !== '0px').length);
    equal(await columns(), 2);
    await page.setViewportSize({ width: 600, height: 400 });
    equal(await columns(), 1);
    equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  },

  'long words and tables do not widen the page, and each text has its direction': async (page, show) => {
    const long = `${'W'.repeat(400)}\n\n| a |\n| - |\n| ${'x'.repeat(400)} |\n\n    ${'code '.repeat(99)}`;
    await show(stepPage([answer(1, long), answer(2, '\u05e9\u05dc\u05d5\u05dd\n\n1. \u05d0\u05d7\u05ea')], { intro: long }));
    equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    const directions = await page.locator('.answer').nth(1).locator('.prose > *').evaluateAll((all) => all.map((block) => getComputedStyle(block).direction));
    equal([...new Set(directions)].join(), 'rtl');
  },

  'buttons are those that the server allows': async (page, show) => {
    const can = { ...CAN, select: false, merge: false, regenerate: false };
    await show(stepPage(TWO, { can }));
    equal(await page.getByRole('button', { name: /Choose|Merge$|Edit/ }).count(), 1); // opens the merge
    await page.getByRole('button', { name: 'Branch Here' }).waitFor();
  },

  'a remark has the buttons that apply to it, and the next one gets its focus': async (page, show) => {
    const [placed, other] = [remark('a', { replacement: 'b', range: {} }), remark('c')];
    await show(stepPage(TWO, { remarks: [placed, other], isReview: true }));
    equal(await page.locator('.answer:visible, .toggles button:visible:has-text("Merge")').count(), 0);
    const buttons = async () => (await page.locator('.remarks').getByRole('button').allTextContents()).join();
    equal(await buttons(), 'clarity (2),“a”,Apply Suggestion,Rewrite,Dismiss,Dismiss');
    await page.getByRole('button', { name: 'Dismiss, clarity · a' }).press('Enter');
    const [{ act }] = await sent(page, 'act');
    equal([act.act, act.remarkId, act.what].join(), 'remark,id-a,dismiss');
    await show(stepPage(TWO, { remarks: [other], dismissed: 1 }));
    equal(await page.evaluate(() => document.activeElement.querySelector('.quote').textContent), '“c”');
    equal(await buttons(), 'clarity (1),Show Dismissed (1),Dismiss');
  },

  'axe-core finds nothing serious': async (page, show) => {
    const failed = answer(3, '', { state: 'failed', note: 'The provider could not be reached.' });
    await show(stepPage([...TWO, failed, answer(4, LONG, { isChosen: true })], { choosesItems: true, remarks: [remark('a', { replacement: 'b', range: {} })], dismissed: 1 }));
    await page.keyboard.press('f');
    await page.evaluate(readFileSync(required('AXE'), 'utf8'));
    const { violations } = await page.evaluate('axe.run(document)');
    const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    equal(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`).join('; '), '');
  },
};

function equal(found, expected) {
  if (found !== expected) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
}

const message = (page, data) => page.evaluate((sending) => new Promise((resolve) => {
  addEventListener('message', () => resolve(), { once: true });
  postMessage(sending, '*');
}), data);
const sent = (page, kind) => page.evaluate((wanted) => window.sent.filter((each) => each.kind === wanted), kind);

await withPage(async (page) => {
  await page.addInitScript(() => {
    let state;
    window.sent = [];
    window.acquireVsCodeApi = () => ({
      postMessage: (data) => window.sent.push(data),
      getState: () => state,
      setState: (next) => (state = next),
    });
  });
  await page.route(`${ORIGIN}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    const type = pathname.endsWith('.css') ? 'text/css' : 'text/javascript';
    return pathname === '/'
      ? route.fulfill({ contentType: 'text/html', body: pageHtml() })
      : route.fulfill({ contentType: type, body: readFileSync(join(required('EXTENSION'), pathname), 'utf8') });
  });
  page.setDefaultTimeout(10_000);
  for (const [check, run] of Object.entries(CHECKS)) {
    await page.setViewportSize({ width: 1200, height: 800 });
    await page.goto(`${ORIGIN}/`);
    await page.evaluate(() => localStorage.clear()); // what the check before has typed
    await page.reload();
    const failure = await run(page, (shown) => message(page, { kind: 'page', page: shown })).then(
      () => null,
      (error) => String(error.message).slice(0, 600),
    );
    report({ check, failure });
  }
});
