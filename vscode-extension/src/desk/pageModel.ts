import { chosenAnswer, hasRest } from '../eligibility';
import { linesOf, sectionText } from '../pages/pageCache';
import { viewUri } from '../pages/uris';
import type { PipelineRun, StepState, ViewReadResult } from '../protocol';
import { answerName, stepStatusText } from '../wording';
import type { ComparePage, DeskPage, RunPage, ShownAnswer, StepPage } from './messages';

/** The page of a view in the shape that the browser side draws. */
export function deskPage(read: ViewReadResult, path: string): DeskPage {
  const { run, step } = read;
  const [, view] = path.split('/');
  if (view === 'compare' && step != null && run != null) {
    return comparePage(read, run, step, path);
  }
  if (view === 'step' && step != null && run != null) {
    return stepPage(read, run, step);
  }
  if (view === 'run' && run != null) {
    return runPage(read, run);
  }
  return { kind: 'problem', ...splitTitle(read.text) };
}

function splitTitle(text: string): { title: string; intro: string } {
  const [first = '', ...rest] = text.trimStart().split('\n');
  return { title: first.replace(/^#+ /, ''), intro: rest.join('\n').trim() };
}

function stepPage(read: ViewReadResult, run: PipelineRun, step: StepState): StepPage {
  const [head = ''] = read.text.split(/\n(?:---|## Remarks)\n/); // remarks are shown apart
  const names = Object.keys(run.steps);
  return {
    kind: 'step',
    ...splitTitle(head),
    steps: Object.values(run.steps).map((each) => ({
      name: each.stepName,
      uri: viewUri('step', run.pipelineRunId, each.stepName).toString(),
      status: stepStatusText(each),
    })),
    answers: shownAnswers(read, step),
    remarks: [],
    dismissed: run.review?.remarks.filter(({ state }) => state === 'dismissed').length ?? 0,
    isReview: run.review != null,
    merge: sectionText(read, 'merge'),
    passages: step.passages.length,
    feedback: sectionText(read, 'feedback'),
    drafts: read.drafts ?? {},
    can: step.can,
    canPause: run.can.pause,
    canResume: run.can.resume,
    isStreaming: step.streaming.length > 0,
    isLast: names.at(-1) === step.stepName,
    choosesItems: read.choosesItems ?? false,
  };
}

function shownAnswers(read: ViewReadResult, step: StepState): ShownAnswer[] {
  const chosen = chosenAnswer(step);
  return (read.answers ?? []).map(({ number, letter, ...head }) => {
    const { responseId } = head;
    const answer = step.aiResponses.find((each) => each.responseId === responseId);
    const section = read.sections.find((each) => each.responseId === responseId);
    return {
      ...head,
      name: answerName({ number, letter }),
      model: letter === null ? head.model : '',
      text: section === undefined ? '' : linesOf(read.text, section),
      isChosen: answer !== undefined && answer === chosen,
      isDraft: read.drafts?.[responseId] !== undefined,
      canContinue: step.can.continue && answer !== undefined && hasRest(answer),
      score: answer?.qualityScore ?? null,
    };
  });
}

function runPage(read: ViewReadResult, run: PipelineRun): RunPage {
  const current = run.steps[run.currentStep];
  return {
    kind: 'run',
    ...splitTitle(read.text),
    step: run.currentStep,
    canRun: current?.can.run === true && !run.isStreaming,
    canApply: run.isDone && Object.values(run.steps).some(({ can }) => can.apply),
    canPause: run.can.pause && run.isStreaming,
    canResume: run.can.resume,
  };
}

function comparePage(
  read: ViewReadResult,
  run: PipelineRun,
  step: StepState,
  path: string,
): ComparePage {
  const lines = read.text.split('\n');
  const [, , ...named] = path.replace(/\.md$/, '').split('/');
  const sides = read.sections.filter(({ kind }) => kind === 'left' || kind === 'right');
  return {
    kind: 'compare',
    ...splitTitle(read.text),
    intro: '',
    sides: sides.map((section, index) => {
      const [runId, name, responseId] = named.slice(index * 3);
      const isHere = runId === run.pipelineRunId && name === step.stepName && step.can.select;
      const isAnswer = step.aiResponses.some((answer) => answer.responseId === responseId);
      return {
        title: (lines[section.headingLine] ?? '').replace(/^#+ /, ''),
        text: linesOf(read.text, section),
        responseId: isHere && isAnswer ? (responseId ?? null) : null,
      };
    }),
    isLast: Object.keys(run.steps).at(-1) === step.stepName,
  };
}
