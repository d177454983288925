import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { LSPErrorCodes, ResponseError, type LanguageClient } from 'vscode-languageclient/node';
import { log } from '../log';
import type {
  LanguageModel,
  LanguageModelDelta,
  LanguageModelRequest,
  LanguageModelResult,
  ModelErrorData,
} from '../protocol';

type Reason = ModelErrorData['reason'];
interface Failure {
  readonly reason: Reason;
}

/** Let the server list and call the language models of VS Code. */
export function serveLanguageModels(client: LanguageClient): void {
  client.onRequest('writeit/lm/list', listModels);
  client.onRequest(
    'writeit/lm/request',
    async (request: LanguageModelRequest, token: vscode.CancellationToken) => {
      const send = (delta: LanguageModelDelta): Promise<void> =>
        client.sendNotification('writeit/lm/delta', delta);
      try {
        return await answerRequest(request, send, token);
      } catch (error) {
        return toResponseError(error, token);
      }
    },
  );
}

async function listModels(): Promise<readonly LanguageModel[]> {
  const models = await vscode.lm.selectChatModels();
  return models.map(({ id, vendor, family, maxInputTokens }) => ({
    id,
    vendor,
    family,
    // Extensions may say anything.
    maxInputTokens: maxInputTokens >= 1 ? Math.floor(maxInputTokens) : null,
  }));
}

/** VS Code asks for consent at the first call; the user has asked for the answer. */
async function answerRequest(
  { requestId, model: id, vendor, prompt, maxTokens, temperature }: LanguageModelRequest,
  send: (delta: LanguageModelDelta) => Promise<void>,
  token: vscode.CancellationToken,
): Promise<LanguageModelResult> {
  const [model] = await vscode.lm.selectChatModels({ vendor, id });
  if (model === undefined) {
    throw vscode.LanguageModelError.NotFound(l10n.t('this model is gone'));
  }
  const options = Object.entries({ max_tokens: maxTokens, temperature });
  const response = await model.sendRequest(
    [vscode.LanguageModelChatMessage.User(prompt)],
    {
      justification: l10n.t('WriteIt sends your text to this model to generate an answer.'),
      modelOptions: Object.fromEntries(options.filter(([, value]) => typeof value === 'number')),
    },
    token,
  );
  let seq = 0;
  for await (const part of response.stream) {
    // Another part, such as a thought, says that the model is at work.
    const text = part instanceof vscode.LanguageModelTextPart ? part.value : '';
    await send({ requestId, seq, text });
    seq += 1;
  }
  if (token.isCancellationRequested) {
    throw new vscode.CancellationError();
  }
  return { finishReason: 'stop' };
}

function toResponseError(error: unknown, token: vscode.CancellationToken): ResponseError<Failure> {
  const message = error instanceof Error ? error.message : String(error);
  if (token.isCancellationRequested) {
    return new ResponseError(LSPErrorCodes.RequestCancelled, message, { reason: 'cancelled' });
  }
  log.warn(`A language model of VS Code failed: ${message}`);
  return new ResponseError(LSPErrorCodes.RequestFailed, message, { reason: reasonOf(error) });
}

/** By the error's code, or the name that providers give it. */
const REASONS: Readonly<Record<string, Reason>> = {
  NoPermissions: 'forbidden',
  NotFound: 'not_found',
  Blocked: 'quota',
  ChatQuotaExceeded: 'quota',
  ChatRateLimited: 'rate_limit',
};

/** Causes that providers tell in words only. */
const WORDS: readonly (readonly [RegExp, Reason])[] = [
  [/rate.?limit|too many requests/iu, 'rate_limit'],
  [/quota/iu, 'quota'],
  [/off.?topic|content.?filter|filtered|content policy|responsible ai/iu, 'refused'],
];

export function reasonOf(error: unknown): Reason {
  if (!(error instanceof Error)) {
    return 'unavailable';
  }
  const { name, message, cause } = error;
  const words = [message, cause instanceof Error ? cause.message : ''].join(' ');
  const told = WORDS.find(([pattern]) => pattern.test(words))?.[1];
  const code = error instanceof vscode.LanguageModelError ? error.code : '';
  return REASONS[name] ?? told ?? REASONS[code] ?? 'unavailable';
}
