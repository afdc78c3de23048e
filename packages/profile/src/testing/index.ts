export { formatDiffTree, formatFunctions, formatTree } from './format-tree.ts';
export { profileFromText, type TextProfileOptions } from './profile-from-text.ts';
export { type RawField, rawBytes, rawFile, rawInt, rawMessage, rawPacked, rawVarint } from './raw-message.ts';
