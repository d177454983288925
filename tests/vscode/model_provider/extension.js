// A provider of language models for VS Code, which answers as the family of a model says.
const vscode = require('vscode');

const WORDS = ['The ', 'mill ', 'stands ', 'downstream.'];
const ERRORS = {
  private: () => vscode.LanguageModelError.NoPermissions('You said no.'),
  spent: () => vscode.LanguageModelError.Blocked('The plan is used up.'),
  gone: () => vscode.LanguageModelError.NotFound('There was one.'),
  prude: () => new Error('off_topic'),
  broken: () => vscode.LanguageModelError.Blocked('The plan is used up.'),
};

exports.activate = (context) => {
  const families = ['quill', 'otter', 'held', ...Object.keys(ERRORS)];
  const changed = new vscode.EventEmitter();
  const state = {
    cancelled: 0,
    prompts: [],
    add(family) {
      families.push(family);
      changed.fire();
    },
  };
  const provider = {
    onDidChangeLanguageModelChatInformation: changed.event,
    provideLanguageModelChatInformation: () =>
      families.map((family) => ({
        id: `${family}-1`,
        name: family,
        family,
        version: '1',
        maxInputTokens: 9000,
        maxOutputTokens: 1000,
        capabilities: {},
      })),
    async provideLanguageModelChatResponse({ family }, messages, _options, progress, token) {
      state.prompts.push(messages.flatMap(({ content }) => content.map(({ value }) => value)).join(''));
      if (family in ERRORS && family !== 'broken') {
        throw ERRORS[family]();
      }
      for (const word of WORDS) {
        progress.report(new vscode.LanguageModelTextPart(word));
        await new Promise((resolve) => setTimeout(resolve, 100)); // the pace of a model
        if (family === 'broken') {
          throw ERRORS.broken();
        }
      }
      if (family === 'held') {
        await new Promise((resolve) => token.onCancellationRequested(resolve));
        state.cancelled += 1;
      }
    },
    provideTokenCount: async (_model, text) => String(text).length,
  };
  context.subscriptions.push(vscode.lm.registerLanguageModelChatProvider('acme', provider));
  return state;
};
