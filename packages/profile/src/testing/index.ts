export { formatDiffTree, formatFunctions, formatTree } from './format-tree.ts';
export { profileFromText, type TextProfileOptions } from './profile-from-text.ts';
