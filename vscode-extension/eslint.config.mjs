import tseslint from 'typescript-eslint';

// Texts that users may read: several words, or one that begins with a capital. What VS Code shows
// at once, such as a description, has words of small letters, too.
const TEXT =
  '/^(?!https?:|sudo |brew |winget |import )[^{}/]*[A-Za-z…,:.] +[A-Za-z]|^[A-Z][a-z]+(…|:|\\.)?$/';
const TEMPLATE = '/^(?!sudo ).*?(?:[A-Za-z]{2,} |\\s[A-Za-z]{2,})/s';
const WORD = '/^[a-z]+$/';
const SHOWN_AS = 'Property[key.name=/^(description|detail|label|prompt|title|tooltip)$/]';
const NOT_SHOWN = [
  'CallExpression[callee.property.name="t"]',
  'CallExpression[callee.object.name="log"]',
  'CallExpression[callee.name="join"]',
  'NewExpression[callee.name="RangeError"]',
  'TSLiteralType',
  'ImportDeclaration',
];
const isShown = NOT_SHOWN.map((selector) => `:not(${selector})`).join('');

export default tseslint.config(
  { ignores: ['dist/', 'dist-test/', 'node_modules/'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // `== null` tests for null and undefined.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 60 }],
      complexity: ['error', 12],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/protocol.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          `${isShown} > Literal[value=${TEXT}]`,
          `${isShown} > TemplateLiteral:has(> TemplateElement[value.raw=${TEMPLATE}])`,
          `${SHOWN_AS} > Literal[value=${WORD}]`,
          `${SHOWN_AS} > ConditionalExpression > Literal[value=${WORD}]`,
        ].map((selector) => ({ selector, message: 'Put what users read into l10n.t().' })),
      ],
    },
  },
  {
    // HTML, policies and names of keys: the texts of the page come from labels.ts.
    files: ['src/desk/webview/**/*.ts', 'src/desk/deskHtml.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // The tests report to the runner through the console, and a group is one function.
    files: ['test/**/*.ts'],
    rules: { 'no-console': 'off', 'max-lines-per-function': 'off' },
  },
  {
    // Generated: the schema names literals beside the plain string they are examples of.
    files: ['src/protocol.ts'],
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-redundant-type-constituents': 'off',
    },
  },
);
