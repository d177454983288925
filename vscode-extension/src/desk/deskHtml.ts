import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { deskLabels } from './labels';

/** What a page may load: its own script and style, and images only once the user asks for them. */
export function contentSecurityPolicy(source: string, nonce: string, hasImages: boolean): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source}`,
    `img-src ${hasImages ? 'https: data:' : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

export interface HtmlOptions {
  readonly extensionUri: vscode.Uri;
  readonly resource: vscode.Uri;
  readonly hasImages: boolean;
}

/** The document of a page; what it shows comes by messages. */
export function deskHtml(webview: vscode.Webview, options: HtmlOptions): string {
  const { extensionUri, resource, hasImages } = options;
  const file = (...path: string[]): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...path)).toString();
  const nonce = randomBytes(16).toString('base64');
  const policy = contentSecurityPolicy(webview.cspSource, nonce, hasImages);
  const uri = resource.toString();
  const data = { ...previewType(resource), uri, labels: deskLabels(), hasImages };
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeAttribute(file('media', 'desk.css'))}">
<title>WriteIt</title>
</head>
<body data-options="${escapeAttribute(JSON.stringify(data))}">
<main id="page" tabindex="-1"></main>
<script nonce="${nonce}" src="${escapeAttribute(file('dist', 'desk.js'))}"></script>
</body>
</html>`;
}

/** The user's type for reading Markdown. */
function previewType(resource: vscode.Uri): { family: string; size: number; lineHeight: number } {
  const preview = vscode.workspace.getConfiguration('markdown.preview', resource);
  return {
    family: preview.get('fontFamily', 'sans-serif'),
    size: preview.get('fontSize', 14),
    lineHeight: preview.get('lineHeight', 1.6),
  };
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
