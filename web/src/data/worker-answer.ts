import { calleesTree, callersTree, decodeTree, invertTree, isUnchanged, reshapeTree } from '@everflame/profile';
import { profileTreeOf, type Tree, treeOf } from './tree-columns.ts';
import type { Answers, Question } from './worker-messages.ts';

/** Answers one question. Throws with words for the user where what it was given is not what it should be. */
export function answer(question: Question): Answers[Question['kind']] {
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
  }
}

/** What can be handed over instead of being copied. */
export function buffersOf(value: Answers[Question['kind']]): ArrayBuffer[] {
  const trees = 'callers' in value ? [value.callers, value.callees] : ['tree' in value ? value.tree : value];
  return [...new Set(trees.flatMap(columnsOf))];
}

function columnsOf({ parent, frame, end, sameAbove, rest, weights }: Tree): ArrayBuffer[] {
  const columns = [parent, frame, end, sameAbove, rest, ...Object.values(weights)];
  return columns.map((column: { buffer: ArrayBufferLike }) => column.buffer as ArrayBuffer);
}
