import { calleesTree, callersTree, decodeTree, invertTree, isUnchanged, reshapeTree } from '@everflame/profile';
import { type DiffTree, profileTreeOf, type Tree, type TreeShape, treeOf, type Weights } from './tree-columns.ts';
import type { Answers, Question } from './worker-messages.ts';

/** Answers one question. Throws with words for the user where what it was given is not what it should be. */
export async function answer(question: Question): Promise<Answers[Question['kind']]> {
  switch (question.kind) {
    case 'decode': {
      const result = decodeTree(new Uint8Array(question.bytes));
      if (!result.ok) throw new Error(`The server's answer is damaged: ${result.message}`);
      return { head: result.head, tree: treeOf(result.tree) };
    }
    case 'shape': {
      const source = profileTreeOf(question.tree);
      const shaped = isUnchanged(question.view) ? source : reshapeTree(source, question.view);
      return treeOf(question.view.isInverted ? invertTree(shaped) : shaped);
    }
    case 'neighbours': {
      const source = profileTreeOf(question.tree);
      return {
        callers: treeOf(callersTree(source, question.name)),
        callees: treeOf(calleesTree(source, question.name)),
      };
    }
    // Readers of other tools' files and RE2 are half as large as all the rest: only who brings a file loads them.
    case 'import':
      return (await import('./local-files.ts')).importTree(
        question.file,
        question.filters,
        question.type,
        question.byLine,
      );
    case 'lines':
      return (await import('./local-files.ts')).importLines(
        question.file,
        question.filters,
        question.type,
        question.name,
      );
    case 'diff':
      return (await import('./local-files.ts')).diffFiles(question.before, question.after);
    case 'pprof':
      return (await import('./local-files.ts')).asPprof(question.file);
  }
}

/** What can be handed over instead of being copied. */
export function buffersOf(value: Answers[Question['kind']]): ArrayBuffer[] {
  if (value instanceof Uint8Array) return [value.buffer];
  if ('lines' in value) return [];
  const trees = 'callers' in value ? [value.callers, value.callees] : ['tree' in value ? value.tree : value];
  return [...new Set(trees.flatMap(columnsOf))];
}

function columnsOf(tree: Tree | DiffTree): ArrayBuffer[] {
  const { parent, frame, end, sameAbove, rest }: TreeShape = tree;
  const weights: readonly Weights[] = 'weights' in tree ? [tree.weights] : [tree.before, tree.after];
  const columns = [parent, frame, end, sameAbove, rest, ...weights.flatMap((one) => Object.values(one))];
  return columns.map((column: { buffer: ArrayBufferLike }) => column.buffer as ArrayBuffer);
}
