/** Browsers have a clipboard only on https and on this machine; elsewhere the text is shown to be copied by hand. */
export async function copyToClipboard(text: string): Promise<void> {
  if (isSecureContext) await navigator.clipboard.writeText(text);
  else prompt('Copy this text:', text);
}
